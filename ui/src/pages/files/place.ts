import type { FileEntry } from '../../bindings/FileEntry';
import type { FilePage } from '../../bindings/FilePage';
import type { VolumeState } from '../../bindings/VolumeState';
import type { Catalogue } from '../../locales/en';

/** A path from the root of a volume, as the agent takes it. */
export function joined(names: readonly string[]): string {
  return names.join('/');
}

/** Whether a volume shows its files now. */
export function isShown(state: VolumeState): boolean {
  return state.state === 'mounted' || state.state === 'degraded';
}

/** Whether nothing on a page is on its way anywhere. */
export function isSettled(page: FilePage): boolean {
  return page.entries.every(({ state }) => state !== 'waiting' && state !== 'only_here');
}

/** What a person reads about an entry, beside its name. */
export function facts(entry: FileEntry, words: Catalogue['files']): string[] {
  const said = entry.kind === 'file' ? [words.size(entry.size)] : [words.kind[entry.kind]];
  said.push(words.modified(entry.modified));
  if (entry.state !== null) said.push(words.state[entry.state]);
  if (entry.pinned !== 'no') said.push(words.pinned[entry.pinned]);
  return said;
}
