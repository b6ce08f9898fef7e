import type { TrashChosen } from '../bindings/TrashChosen';
import type { TrashEntry } from '../bindings/TrashEntry';
import type { TrashFolder } from '../bindings/TrashFolder';
import type { TrashHours } from '../bindings/TrashHours';
import type { TrashJob } from '../bindings/TrashJob';
import type { TrashPage } from '../bindings/TrashPage';
import type { TrashPlace } from '../bindings/TrashPlace';
import type { TrashWork } from '../bindings/TrashWork';
import type { VolumeId } from '../bindings/VolumeId';
import { ACTION_DEADLINE, DEADLINE, type AgentStore } from './store.svelte';

/** Milliseconds that a look into the database of a volume may take. */
export const LOOK_DEADLINE = 75_000;
/** Milliseconds that work on a volume may take. */
export const WORK_DEADLINE = 620_000;

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

/** The work on a trash that is under way, or ended last; the agent asks nobody for that. */
export async function trashJob(store: AgentStore, id: VolumeId): Promise<TrashJob | null> {
  return (await store.read({ request: 'trash_job', id }, 'trash_job', DEADLINE)).job;
}

/** Begins work on a trash; settles as soon as it has begun. */
export async function startTrash(
  store: AgentStore,
  id: VolumeId,
  work: TrashWork,
): Promise<TrashJob | null> {
  const request = { request: 'trash_start', id, work } as const;
  return (await store.act(request, 'trash_job', ACTION_DEADLINE)).job;
}

/** Ends the work that is under way; settles as soon as it is told to end. */
export async function cancelTrash(store: AgentStore, id: VolumeId): Promise<TrashJob | null> {
  return (await store.act({ request: 'trash_cancel', id }, 'trash_job', ACTION_DEADLINE)).job;
}

/** The entries, hour by hour. */
export function byHour(entries: readonly Pick<TrashEntry, 'hour' | 'entry'>[]): TrashChosen[] {
  const hours = new Map<string, string[]>();
  for (const { hour, entry } of entries) {
    const known = hours.get(hour);
    if (known === undefined) hours.set(hour, [entry]);
    else known.push(entry);
  }
  return [...hours].map(([hour, entries]) => ({ hour, entries }));
}
