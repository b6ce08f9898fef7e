import type { TrashChoice } from '../bindings/TrashChoice';
import type { TrashEntry } from '../bindings/TrashEntry';
import type { TrashFolder } from '../bindings/TrashFolder';
import type { TrashHours } from '../bindings/TrashHours';
import type { TrashPage } from '../bindings/TrashPage';
import type { TrashPlace } from '../bindings/TrashPlace';
import type { TrashRestored } from '../bindings/TrashRestored';
import type { VolumeId } from '../bindings/VolumeId';
import type { AgentStore } from './store.svelte';

/** Milliseconds that a look into the database of a volume may take. */
export const LOOK_DEADLINE = 75_000;
/** Milliseconds that work on a volume may take. */
export const WORK_DEADLINE = 620_000;
/** Entries that are named in one request. */
export const MOST_CHOSEN = 200;

/** In which hours something was deleted. */
export async function trashHours(store: AgentStore, id: VolumeId): Promise<TrashHours> {
  return (await store.read({ request: 'trash_hours', id }, 'trash_hours', LOOK_DEADLINE)).hours;
}

/** A page of what was deleted, of all or from inside a folder. */
export async function trashPage(
  store: AgentStore,
  id: VolumeId,
  inside: TrashFolder | null,
  from: TrashPlace | null,
): Promise<TrashPage> {
  const request = { request: 'trash_list', id, inside, from } as const;
  return (await store.read(request, 'trash_page', LOOK_DEADLINE)).page;
}

/** Brings entries back to where they were, hour by hour; tells of each what became of it. */
export async function restore(
  store: AgentStore,
  id: VolumeId,
  entries: readonly TrashEntry[],
): Promise<TrashRestored[]> {
  const done: TrashRestored[] = [];
  for (const { hour, names } of byHour(entries)) {
    const request = { request: 'trash_restore', id, hour, entries: names } as const;
    done.push(...(await store.act(request, 'trash_restored', WORK_DEADLINE)).entries);
  }
  return done;
}

/** Deletes entries for good; gives how many went, those inside folders too. */
export async function purge(
  store: AgentStore,
  id: VolumeId,
  entries: readonly TrashEntry[],
): Promise<number> {
  let gone = 0;
  for (const { hour, names } of byHour(entries)) {
    gone += await purgeSome(store, id, { purge: 'chosen', hour, entries: names });
  }
  return gone;
}

/** Deletes for good what was deleted more than so many days ago; 0 is everything. */
export function purgeOlder(store: AgentStore, id: VolumeId, days: number): Promise<number> {
  const what: TrashChoice =
    days === 0 ? { purge: 'everything' } : { purge: 'older_than', seconds: days * 86_400 };
  return purgeSome(store, id, what);
}

async function purgeSome(store: AgentStore, id: VolumeId, what: TrashChoice): Promise<number> {
  const request = { request: 'trash_purge', id, what } as const;
  return (await store.act(request, 'trash_purged', WORK_DEADLINE)).purged.entries;
}

/** The entries of each hour, no more at once than one request names. */
export function byHour(
  entries: readonly Pick<TrashEntry, 'hour' | 'entry'>[],
): { hour: string; names: string[] }[] {
  const batches: { hour: string; names: string[] }[] = [];
  for (const { hour, entry } of entries) {
    const open = batches.find((batch) => batch.hour === hour && batch.names.length < MOST_CHOSEN);
    if (open === undefined) batches.push({ hour, names: [entry] });
    else open.names.push(entry);
  }
  return batches;
}
