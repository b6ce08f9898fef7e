import type { HealthWork } from '../bindings/HealthWork';
import type { VolumeHealth } from '../bindings/VolumeHealth';
import type { VolumeId } from '../bindings/VolumeId';
import { ACTION_DEADLINE, DEADLINE, type AgentStore } from './store.svelte';

/** What the agent knows of the health of a volume, and of the work for it; it asks nobody for that. */
export async function health(store: AgentStore, id: VolumeId): Promise<VolumeHealth> {
  return (await store.read({ request: 'volume_health', id }, 'volume_health', DEADLINE)).health;
}

/** Begins work for the health of a volume; settles as soon as it has begun. */
export async function startHealth(
  store: AgentStore,
  id: VolumeId,
  work: HealthWork,
): Promise<VolumeHealth> {
  const request = { request: 'volume_health_start', id, work } as const;
  return (await store.act(request, 'volume_health', ACTION_DEADLINE)).health;
}

/** Ends the work that is under way; settles as soon as it is told to end. */
export async function cancelHealth(store: AgentStore, id: VolumeId): Promise<VolumeHealth> {
  const request = { request: 'volume_health_cancel', id } as const;
  return (await store.act(request, 'volume_health', ACTION_DEADLINE)).health;
}
