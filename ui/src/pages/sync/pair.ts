import type { SyncMode } from '../../bindings/SyncMode';
import type { SyncPair } from '../../bindings/SyncPair';
import type { SyncPairSettings } from '../../bindings/SyncPairSettings';
import type { SyncPreview } from '../../bindings/SyncPreview';
import type { SyncRun } from '../../bindings/SyncRun';
import type { SyncState } from '../../bindings/SyncState';
import type { Volume } from '../../bindings/Volume';
import type { Catalogue } from '../../locales/en';

type Words = Catalogue['sync'];
type Fact = { name: string; value: string };

/** The modes, the one for most people first. */
export const MODES: readonly SyncMode[] = ['two_way', 'back_up', 'mirror'];

/** What is typed about a pair. */
export interface Filled {
  local: string;
  volume: string;
  folder: string;
  mode: SyncMode;
  ignore: string;
}

/** The settings that were typed. */
export function settingsOf(filled: Filled): SyncPairSettings {
  return {
    local_folder: filled.local.trim(),
    volume: filled.volume,
    volume_folder: filled.folder.trim().replace(/^\/+|\/+$/g, ''),
    mode: filled.mode,
    ignore: patterns(filled.ignore),
  };
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
  return !['waiting', 'paused', 'running'].includes(state.state);
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
