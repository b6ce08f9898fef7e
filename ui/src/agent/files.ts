import type { FilePage } from '../bindings/FilePage';
import type { Request } from '../bindings/Request';
import type { VolumeId } from '../bindings/VolumeId';
import type { AgentStore } from './store.svelte';

/** Milliseconds that a page may take: a slow database is asked for each file of it. */
export const LIST_DEADLINE = 35_000;
/** Milliseconds that a pin may take: everything below a folder is looked at. */
export const PIN_DEADLINE = 125_000;

/** A page of a folder, which is named from the root of the volume. */
export async function listFiles(
  store: AgentStore,
  id: VolumeId,
  folder: string,
  after: string | null,
): Promise<FilePage> {
  const request: Request = { request: 'files', id, folder, after };
  return (await store.act(request, 'files', LIST_DEADLINE)).page;
}

/** Keeps a file or folder on this computer, or no longer. */
export async function pinFile(
  store: AgentStore,
  id: VolumeId,
  path: string,
  pinned: boolean,
): Promise<void> {
  await store.act({ request: 'file_pin', id, path, pinned }, 'done', PIN_DEADLINE);
}
