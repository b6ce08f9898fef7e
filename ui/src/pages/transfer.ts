import type { Problem } from '../bindings/Problem';
import type { Transfer } from '../bindings/Transfer';

/** Transfers that failed for one cause. */
export interface Failed {
  problem: Problem;
  transfers: Transfer[];
}

/** Transfers by what a person does about them, each as the agent ordered it. */
export interface Groups {
  now: Transfer[];
  waiting: Transfer[];
  failed: Failed[];
  history: Transfer[];
}

/** Parts `transfers` into groups; what failed for the same cause stands together. */
export function grouped(transfers: readonly Transfer[]): Groups {
  const groups: Groups = { now: [], waiting: [], failed: [], history: [] };
  const causes = new Map<string, Failed>();
  for (const transfer of transfers) {
    const { progress } = transfer;
    switch (progress.progress) {
      case 'running':
        groups.now.push(transfer);
        break;
      case 'waiting':
      case 'paused':
        groups.waiting.push(transfer);
        break;
      case 'done':
        groups.history.push(transfer);
        break;
      case 'failed': {
        const { problem } = progress;
        const cause = `${problem.code} ${problem.message}`;
        const known = causes.get(cause);
        if (known === undefined) causes.set(cause, { problem, transfers: [transfer] });
        else known.transfers.push(transfer);
      }
    }
  }
  groups.failed = [...causes.values()];
  return groups;
}

/** Seconds until a running transfer is through at its present rate; absent when nothing moves. */
export function secondsLeft({ done, total, progress }: Transfer): number | null {
  if (progress.progress !== 'running' || progress.rate <= 0) return null;
  return Math.ceil(Math.max(0, total - done) / progress.rate);
}
