import { Refused } from '../agent/transport';

/** What does not fit the present state. */
export function refused(message: string): Refused {
  return new Refused({
    code: 'wrong_state',
    message,
    cause: null,
    advice: 'Look at the state, and try it again.',
    retryable: false,
  });
}
