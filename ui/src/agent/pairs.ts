import type { SyncAnswer } from '../bindings/SyncAnswer';
import type { SyncConflict } from '../bindings/SyncConflict';
import type { SyncFolders } from '../bindings/SyncFolders';
import type { SyncKeep } from '../bindings/SyncKeep';
import type { SyncPairId } from '../bindings/SyncPairId';
import type { SyncPairSettings } from '../bindings/SyncPairSettings';
import type { SyncPreview } from '../bindings/SyncPreview';
import type { AgentStore } from './store.svelte';
import { LOOK_DEADLINE } from './trash';

/** Milliseconds that both sides of a pair may be looked at: long enough for a million files. */
const PREVIEW_DEADLINE = 620_000;

/** Adds a pair; its first run begins at once. */
export async function addPair(store: AgentStore, settings: SyncPairSettings): Promise<SyncPairId> {
  return (await store.act({ request: 'sync_pair_add', settings }, 'sync_pair')).pair.id;
}

/** Changes the mode of a pair, and what it leaves alone. */
export async function changePair(
  store: AgentStore,
  id: SyncPairId,
  settings: SyncPairSettings,
): Promise<void> {
  await store.act({ request: 'sync_pair_change', id, settings }, 'sync_pair');
}

/** Takes a pair off the list; both folders stay as they are. */
export async function removePair(store: AgentStore, id: SyncPairId): Promise<void> {
  await store.act({ request: 'sync_pair_remove', id }, 'done');
}

/** Holds a pair, or lets it go on. */
export async function pausePair(store: AgentStore, id: SyncPairId, paused: boolean): Promise<void> {
  await store.act({ request: 'sync_pair_pause', id, paused }, 'sync_pair');
}

/** Runs a pair now; settles as soon as it is told to. */
export async function runPair(store: AgentStore, id: SyncPairId): Promise<void> {
  await store.act({ request: 'sync_pair_run', id }, 'sync_pair');
}

/** Answers what a pair asks. */
export async function answerPair(
  store: AgentStore,
  id: SyncPairId,
  answer: SyncAnswer,
): Promise<void> {
  await store.act({ request: 'sync_pair_answer', id, answer }, 'sync_pair');
}

/** What a run would do; nothing is changed. `id` is that of a pair of the list. */
export async function previewPair(
  store: AgentStore,
  id: SyncPairId | null,
  settings: SyncPairSettings,
): Promise<SyncPreview> {
  const request = { request: 'sync_pair_preview', id, settings } as const;
  return (await store.act(request, 'sync_preview', PREVIEW_DEADLINE)).preview;
}

/** Settles a conflict, as it was told; the run that follows tells what came of it. */
export async function resolveConflict(
  store: AgentStore,
  id: SyncPairId,
  conflict: SyncConflict,
  keep: SyncKeep,
): Promise<void> {
  await store.act({ request: 'sync_pair_resolve', id, conflict, keep }, 'sync_pair');
}

/** The folders of a pair in one of its folders; those that are left out too. */
export async function pairFolders(
  store: AgentStore,
  settings: SyncPairSettings,
  inside: string,
): Promise<SyncFolders> {
  const whole: SyncPairSettings = { ...settings, left_out: [] };
  const request = { request: 'sync_pair_folders', settings: whole, inside } as const;
  return (await store.read(request, 'sync_folders', LOOK_DEADLINE)).folders;
}
