import type { JobState } from '../bindings/JobState';
import type { Look } from './look.svelte';

/** Milliseconds between two looks while something is at work, and otherwise: others may begin something too. */
const AGAIN_AT_WORK = 1_000;
const AGAIN = 5_000;

/** Whether a job is at work. */
export function isRunning(job: { state: JobState } | null): boolean {
  return job?.state.state === 'running';
}

/** Looks again and again for as long as the component lives; call it while that is made. */
export function keepLooking<Value>(look: Look<Value>, isAtWork: (value: Value) => boolean): void {
  $effect(() => {
    const heard = look.failure === undefined ? look.seen : undefined;
    const atWork = heard !== undefined && isAtWork(heard.value);
    const timer = setTimeout(() => void look.again(), atWork ? AGAIN_AT_WORK : AGAIN);
    return () => clearTimeout(timer);
  });
}
