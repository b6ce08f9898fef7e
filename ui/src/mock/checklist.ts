import type { Checklist } from '../bindings/Checklist';

/** A computer without an agent's store of passwords. */
export function selfTest(): Checklist {
  const passed = { outcome: 'passed' } as const;
  return {
    lines: [
      { step: 'driver', outcome: passed, elapsed: 0 },
      { step: 'folders', outcome: passed, elapsed: 2 },
      {
        step: 'disk_space',
        outcome: {
          outcome: 'warned',
          problem: {
            code: 'disk_full',
            message: 'The disk of /home/ada/.cache/moorage has 4.1 GiB of 96.0 GiB left.',
            cause: null,
            advice: 'Free space on it, or put the cache on another disk with --cache-dir.',
            retryable: false,
          },
        },
        elapsed: 0,
      },
      { step: 'agent', outcome: passed, elapsed: 1 },
      { step: 'secret_store', outcome: { outcome: 'skipped' }, elapsed: null },
      { step: 'trial_volume', outcome: passed, elapsed: 34 },
      { step: 'trial_mount', outcome: passed, elapsed: 121 },
      { step: 'trial_check', outcome: passed, elapsed: 60 },
    ],
  };
}

/** A test that stops at the keys. */
export function checklist(): Checklist {
  const passed = { outcome: 'passed' } as const;
  const skipped = { outcome: 'skipped' } as const;
  return {
    lines: [
      { step: 'dns', outcome: passed, elapsed: 12 },
      { step: 'tcp', outcome: passed, elapsed: 31 },
      { step: 'tls', outcome: passed, elapsed: 48 },
      {
        step: 'authentication',
        outcome: {
          outcome: 'failed',
          problem: {
            code: 'authentication',
            message: 'The object store refused the key.',
            cause: 'HTTP 403: InvalidAccessKeyId',
            advice: 'Give a key that is valid for this bucket.',
            retryable: true,
          },
        },
        elapsed: 95,
      },
      { step: 'put', outcome: skipped, elapsed: null },
      { step: 'get', outcome: skipped, elapsed: null },
      { step: 'list', outcome: skipped, elapsed: null },
      { step: 'delete', outcome: skipped, elapsed: null },
      { step: 'metadata_ping', outcome: passed, elapsed: 4 },
    ],
  };
}
