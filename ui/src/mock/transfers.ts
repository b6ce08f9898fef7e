import type { Problem } from '../bindings/Problem';
import type { Progress } from '../bindings/Progress';
import type { Transfer } from '../bindings/Transfer';

const MB = 1_000_000;
const SINCE = Date.UTC(2026, 0, 5, 9, 30);

const REFUSED: Problem = {
  code: 'quota_exceeded',
  message: 'The bucket takes no more data.',
  cause: 'HTTP 507',
  advice: 'Make room in the bucket, then try again.',
  retryable: true,
};

/** Transfers of every kind. */
export function transfers(): Transfer[] {
  let id = 0;
  const upload = (path: string, done: number, total: number, progress: Progress): Transfer => {
    id += 1;
    return {
      id,
      volume: 'photos',
      path,
      direction: 'upload',
      done: done * MB,
      total: total * MB,
      since: SINCE,
      progress,
    };
  };
  return [
    upload('Iceland/day-3/IMG_2214.raw', 18, 48, { progress: 'running', rate: 6 * MB }),
    upload('Iceland/day-3/IMG_2215.raw', 0, 51, { progress: 'waiting' }),
    upload('Projects/cut-final.mov', 0, 900, { progress: 'failed', problem: REFUSED }),
    upload('Projects/cut-final-2.mov', 0, 840, { progress: 'failed', problem: REFUSED }),
    upload('Iceland/day-3/IMG_2213.raw', 47, 47, { progress: 'done', at: SINCE + 60_000 }),
  ];
}
