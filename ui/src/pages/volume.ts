import type { Explained } from '../agent/explain';
import type { Figures } from '../bindings/Figures';
import type { Reason } from '../bindings/Reason';
import type { Volume } from '../bindings/Volume';
import type { VolumeState } from '../bindings/VolumeState';
import type { Catalogue } from '../locales/en';

/** What is to be said about `state`, the gravest first; empty while all is well. */
export function reasons(state: VolumeState, words: Catalogue): readonly Explained[] {
  switch (state.state) {
    case 'unconfigured':
      return [of(state.reason)];
    case 'connecting':
      return state.reason === null ? [] : [of(state.reason)];
    case 'degraded':
      return state.reasons.map(of);
    case 'error':
      return [state.problem];
    case 'unmounting':
      return waits(state, words.volumes);
    case 'stopped':
    case 'mounted':
      return [];
  }
}

function of({ message, advice, code }: Reason): Explained {
  return { message, cause: null, advice, code };
}

/** What an unmount waits for. */
function waits(
  { waiting_for: wait }: Extract<VolumeState, { state: 'unmounting' }>,
  words: Catalogue['volumes'],
): readonly Explained[] {
  switch (wait?.wait) {
    case undefined:
      return [];
    case 'uploads': {
      const message = words.waitsForUploads(wait.files, wait.bytes);
      return [{ message, cause: null, advice: '', code: 'uploads', own: true }];
    }
    case 'processes': {
      const programs = wait.holders.map(({ name, pid }) => `${name} (${pid})`).join(', ');
      const message = words.heldBy(programs);
      return [
        { message, cause: null, advice: words.closeThem, code: 'mount_point_busy', own: true },
      ];
    }
  }
}

/** What a person may do with the volume now; absent while it is on its way. */
export function action(volume: Volume): 'mount' | 'unmount' | undefined {
  switch (volume.state.state) {
    case 'stopped':
    case 'error':
      return 'mount';
    case 'mounted':
    case 'degraded':
    case 'connecting':
      return 'unmount';
    case 'unconfigured':
    case 'unmounting':
      return undefined;
  }
}

/** Whether there are files to be seen. */
export function serves(state: VolumeState): boolean {
  return state.state === 'mounted' || state.state === 'degraded';
}

/** Whether an unmount waits for programs that hold the volume. */
export function isHeld(state: VolumeState): boolean {
  return state.state === 'unmounting' && state.waiting_for?.wait === 'processes';
}

/** The figures that a card shows. */
export function facts(figures: Figures, words: Catalogue): { name: string; value: string }[] {
  const { space, cache, staged_files, staged_bytes } = figures;
  const { volumes } = words;
  const shown = [
    { name: volumes.waiting, value: volumes.queue(staged_files, staged_bytes) },
    { name: volumes.cache, value: volumes.space(cache.used, cache.limit) },
  ];
  if (space !== null) {
    shown.unshift({ name: volumes.used, value: volumes.space(space.used, space.quota) });
  }
  return shown;
}

/** All figures of a volume. */
export function details(figures: Figures, words: Catalogue): { name: string; value: string }[] {
  const shown = facts(figures, words);
  const add = (name: string, value: string) => shown.push({ name, value });
  if (figures.space !== null) add(words.volume.files, words.quantity.count(figures.space.inodes));
  if (figures.oldest_staged !== null) {
    add(words.volume.oldest, words.quantity.when(figures.oldest_staged));
  }
  add(words.volume.operations, words.quantity.count(figures.operations));
  add(words.volume.uploaded, words.quantity.bytes(figures.bytes_uploaded));
  add(words.volume.downloaded, words.quantity.bytes(figures.bytes_downloaded));
  return shown;
}
