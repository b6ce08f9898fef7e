import type { VolumeId } from '../bindings/VolumeId';
import type { VolumeLimits } from '../bindings/VolumeLimits';
import type { VolumeOptions } from '../bindings/VolumeOptions';
import type { VolumeSession } from '../bindings/VolumeSession';
import type { AgentStore } from './store.svelte';
import { LOOK_DEADLINE, WORK_DEADLINE } from './trash';

/** Who uses a volume. */
export async function sessions(store: AgentStore, id: VolumeId): Promise<VolumeSession[]> {
  const request = { request: 'volume_sessions', id } as const;
  return (await store.read(request, 'volume_sessions', LOOK_DEADLINE)).sessions;
}

/** The options of a volume itself. */
export async function options(store: AgentStore, id: VolumeId): Promise<VolumeOptions> {
  const request = { request: 'volume_options', id } as const;
  return (await store.read(request, 'volume_options', LOOK_DEADLINE)).options;
}

/** Changes options of a volume for all computers; what is as in `before` stays as it is by now. */
export async function changeOptions(
  store: AgentStore,
  id: VolumeId,
  before: VolumeLimits,
  limits: VolumeLimits,
): Promise<VolumeOptions> {
  const request = { request: 'volume_options_change', id, before, limits } as const;
  return (await store.act(request, 'volume_options', WORK_DEADLINE)).options;
}
