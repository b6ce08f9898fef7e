import type { TrashEntry } from '../../bindings/TrashEntry';
import type { TrashHour } from '../../bindings/TrashHour';
import type { TrashHours } from '../../bindings/TrashHours';
import type { TrashWork } from '../../bindings/TrashWork';
import type { Catalogue } from '../../locales/en';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Ages that can be chosen, in days; 0 is everything. */
export const AGES = [30, 7, 1, 0] as const;

export type Age = (typeof AGES)[number];

/** What tells an entry from all others. */
export function key({ hour, entry }: TrashEntry): string {
  return `${hour}/${entry}`;
}

/** Where an entry was, as far as it is known. */
export function place({ path, name }: TrashEntry): string {
  return path ?? name;
}

/** What a person should know of an entry beside its size. */
export function notes(entry: TrashEntry, words: Catalogue['trash']): string[] {
  const notes: string[] = [];
  if (entry.kind === 'folder') notes.push(words.folder(entry.inside));
  const { removed, bytes } = entry;
  const facts = words.facts(removed, entry.kind === 'folder' ? null : bytes);
  if (facts !== '') notes.push(facts);
  if (entry.folder === 'gone') notes.push(words.gone);
  if (entry.folder === 'removed') notes.push(words.removed);
  if (entry.cut) notes.push(words.cut);
  return notes;
}

/** How much lies in the trash; absent where the volume does not count it. */
export function total(hours: readonly TrashHour[]): { entries: number; bytes: number } | undefined {
  let entries = 0;
  let bytes = 0;
  for (const hour of hours) {
    if (hour.entries === null || hour.bytes === null) return undefined;
    entries += hour.entries;
    bytes += hour.bytes;
  }
  return { entries, bytes };
}

/** The hours that were over so many days ago. */
export function olderThan(hours: readonly TrashHour[], days: Age, now: number): TrashHour[] {
  if (days === 0) return [...hours];
  return hours.filter(({ begins }) => begins !== null && begins + HOUR <= now - days * DAY);
}

/** What deletes for good what was deleted more than so many days ago; 0 is everything. */
export function older(days: Age): TrashWork {
  return days === 0 ? { work: 'purge_all' } : { work: 'purge_older', seconds: days * 86_400 };
}

/** The sentences above the list. */
export function summary({ hours, damaged, days }: TrashHours, words: Catalogue['trash']): string[] {
  const sum = total(hours);
  const sentences = [days === 0 ? words.off : words.kept(days)];
  if (sum !== undefined && sum.entries > 0) sentences.push(words.total(sum.entries, sum.bytes));
  if (damaged > 0) sentences.push(words.damaged(damaged));
  return sentences;
}
