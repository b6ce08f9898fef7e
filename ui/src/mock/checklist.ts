import type { Checklist } from '../bindings/Checklist';

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
