import type { SyncMode } from '../../bindings/SyncMode';
import type { SyncPair } from '../../bindings/SyncPair';
import type { SyncPairSettings } from '../../bindings/SyncPairSettings';
import type { SyncPreview } from '../../bindings/SyncPreview';
import type { SyncRun } from '../../bindings/SyncRun';
import type { SyncState } from '../../bindings/SyncState';
import type { Volume } from '../../bindings/Volume';
import { whole } from '../../forms/limits';
import type { Catalogue } from '../../locales/en';

type Words = Catalogue['sync'];
type Fact = { name: string; value: string };

/** The modes, the one for most people first. */
export const MODES: readonly SyncMode[] = ['two_way', 'back_up', 'mirror'];

/** The rules of a pair as they are typed. */
export interface Rules {
  mode: SyncMode;
  ignore: string;
  /** Folders that do not take part. */
  leftOut: readonly string[];
  /** Files and percent above which a run asks before it removes. */
  askFiles: string;
  askPercent: string;
}

/** What is typed about a new pair. */
export interface Filled extends Rules {
  local: string;
  volume: string;
  folder: string;
}

type Ruled = Pick<SyncPairSettings, 'mode' | 'ignore' | 'left_out' | 'guard'>;

/** The rules of a pair that nobody changed. */
export const USUAL: Readonly<Rules> = {
  mode: 'two_way',
  ignore: '',
  leftOut: [],
  askFiles: '100',
  askPercent: '25',
};

/** What the rules of a pair read in their fields. */
export function typed({ mode, ignore, left_out, guard }: Ruled): Rules {
  return {
    mode,
    ignore: ignore.join(', '),
    leftOut: left_out,
    askFiles: String(guard.files),
    askPercent: String(guard.percent),
  };
}

/** The rules that were typed; absent when a limit is none. */
export function ruled(rules: Rules): Ruled | undefined {
  const files = limit(rules.askFiles);
  const percent = limit(rules.askPercent, 100);
  if (files === undefined || percent === undefined) return undefined;
  return {
    mode: rules.mode,
    ignore: patterns(rules.ignore),
    left_out: [...rules.leftOut],
    guard: { files, percent },
  };
}

/** A whole number; absent when it is another text, or none. */
export function limit(text: string, most?: number): number | undefined {
  return text.trim() === '' ? undefined : whole(text, most);
}

/** The settings that were typed; absent when a limit is none. */
export function settingsOf(filled: Filled): SyncPairSettings | undefined {
  const rules = ruled(filled);
  return rules && { ...placeOf(filled), ...rules };
}

/** The folders that were typed. */
export function placeOf({
  local,
  volume,
  folder,
}: Filled): Pick<SyncPairSettings, 'local_folder' | 'volume' | 'volume_folder'> {
  return {
    local_folder: local.trim(),
    volume,
    volume_folder: folder.trim().replace(/^\/+|\/+$/g, ''),
  };
}

/** The folders that are left out when one more is, or is not any more; one stands for all below it. */
export function choose(leftOut: readonly string[], path: string, takesPart: boolean): string[] {
  const others = leftOut.filter((other) => other !== path && !other.startsWith(`${path}/`));
  return takesPart ? others : [...others, path].sort();
}

/** Patterns as they are typed in one line. */
export function patterns(text: string): string[] {
  return text
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
}

/** The name of the volume of a pair. */
export function volumeOf(pair: SyncPair, volumes: readonly Volume[] | undefined): string {
  const found = volumes?.find(({ id }) => id === pair.settings.volume);
  return found?.settings.name ?? pair.settings.volume;
}

/** Why a pair is as it is, where there is something to say beside its word. */
export function reason(pair: SyncPair, words: Words): string | undefined {
  const { state } = pair;
  switch (state.state) {
    case 'waiting':
      return words.reason.waiting;
    case 'paused':
      return state.all ? words.reason.pausedAll : words.reason.paused;
    case 'held':
      return words.reason.held[state.by];
    case 'incomplete':
      return words.reason.incomplete;
    case 'up_to_date':
    case 'asking':
      return pair.watched ? undefined : words.reason.unwatched;
    default:
      return undefined;
  }
}

/** Whether the person holds it, and not something else. */
export function isPaused(state: SyncState): boolean {
  return state.state === 'paused' && !state.all;
}

/** Whether it can be told to run now. */
export function canRun(state: SyncState): boolean {
  return !['waiting', 'paused', 'held', 'running'].includes(state.state);
}

/** What a run would remove, in words. */
export function removals(preview: SyncPreview, volume: string, words: Words): string {
  const parts = [];
  if (preview.removed_local > 0) parts.push(words.question.local(preview.removed_local));
  if (preview.removed_volume > 0) parts.push(words.question.volume(preview.removed_volume, volume));
  return parts.join(words.question.and);
}

/** The most files that a run would remove from one side. */
export function mostRemoved(preview: SyncPreview): number {
  return Math.max(preview.removed_local, preview.removed_volume);
}

/** What a run would do; zeros that mean nothing are left out. */
export function previewFacts(preview: SyncPreview, words: Words): Fact[] {
  const { preview: say } = words;
  const facts = [
    { name: say.toVolume, value: say.amount(preview.to_volume, preview.to_volume_bytes) },
    { name: say.toLocal, value: say.amount(preview.to_local, preview.to_local_bytes) },
  ];
  const counts: [string, number][] = [
    [say.removedVolume, preview.removed_volume],
    [say.removedLocal, preview.removed_local],
    [say.comparisons, preview.comparisons],
    [say.unreadable, preview.unreadable],
    [say.special, preview.special],
  ];
  return [...facts, ...counted(counts, say.files)];
}

/** What a run did; zeros are left out. */
export function runFacts(run: SyncRun, words: Words, bytes: (value: number) => string): Fact[] {
  const { run: say } = words;
  const counts: [string, number][] = [
    [say.toVolume, run.copied_volume],
    [say.toLocal, run.copied_local],
    [say.removedVolume, run.removed_volume],
    [say.removedLocal, run.removed_local],
    [say.postponed, run.postponed],
    [say.failed, run.failed],
  ];
  const facts = counted(counts, words.preview.files);
  if (run.copied_bytes > 0) facts.push({ name: say.bytes, value: bytes(run.copied_bytes) });
  return facts;
}

function counted(counts: [string, number][], files: (value: number) => string): Fact[] {
  return counts
    .filter(([, value]) => value > 0)
    .map(([name, value]) => ({ name, value: files(value) }));
}
