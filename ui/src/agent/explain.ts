import type { Problem } from '../bindings/Problem';
import type { Catalogue } from '../locales/en';
import { NotHeard } from './client';
import { Refused } from './transport';

/** A failure as a person reads it: what, why, what to do, and its code. */
export type Explained = Pick<Problem, 'message' | 'cause' | 'advice'> & { code: string };

/** What a person reads about a request that failed. */
export function explain(reason: unknown, words: Catalogue['failure']): Explained {
  if (reason instanceof Refused) return reason.problem;
  const heard = !(reason instanceof NotHeard);
  return {
    message: heard ? words.notConnected : words.notHeard,
    cause: heard ? said(reason) : null,
    advice: words.heals,
    code: heard ? 'unreachable' : 'timed_out',
  };
}

/** The agent's version does not do what was asked for. */
export function isNotOffered(reason: unknown): boolean {
  return reason instanceof Refused && reason.problem.code === 'not_supported';
}

function said(reason: unknown): string | null {
  if (typeof reason === 'string') return reason;
  if (typeof reason !== 'object' || reason === null || !('message' in reason)) return null;
  return String(reason.message);
}
