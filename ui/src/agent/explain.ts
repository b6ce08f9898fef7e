import type { Problem } from '../bindings/Problem';
import type { Catalogue } from '../locales/en';
import { NotHeard } from './client';
import { Refused } from './transport';

/** A failure: what, why, what to do, and its code. */
export type Explained = Pick<Problem, 'message' | 'cause' | 'advice'> & {
  code: string;
  /** Said by the window itself, in its language; the agent speaks English. */
  own?: true;
};

/** A failure as a person reads it. */
export interface Worded {
  title: string;
  /** What the agent said of it, in English, where that is not the title already. */
  detail: string[];
  /** As the system or a server said it. */
  cause: string | null;
  advice: string;
  code: string;
}

/** Puts a failure into the words of a language, by its code; what the agent said stays beside. */
export function worded(problem: Explained, words: Catalogue['failure']): Worded {
  const { message, cause, advice, code } = problem;
  const known = problem.own ? null : words.known(code);
  if (known === null) return { title: message, detail: [], cause, advice, code };
  const detail =
    known.advice === null ? [message] : [message, advice].filter((said) => said !== '');
  return { title: known.title, detail, cause, advice: known.advice ?? advice, code };
}

/** What a person reads about a request that failed. */
export function explain(reason: unknown, words: Catalogue['failure']): Explained {
  if (reason instanceof Refused) return reason.problem;
  const heard = !(reason instanceof NotHeard);
  return {
    message: heard ? words.notConnected : words.notHeard,
    cause: heard ? said(reason) : null,
    advice: words.heals,
    code: heard ? 'unreachable' : 'timed_out',
    own: true,
  };
}

/** The agent's version does not do what was asked for. */
export function isNotOffered(reason: unknown): boolean {
  return reason instanceof Refused && reason.problem.code === 'not_supported';
}

/** A person ended the agent, and nothing but a person starts it again. */
export function isStopped(reason: unknown): boolean {
  return reason instanceof Refused && reason.problem.code === 'agent_stopped';
}

function said(reason: unknown): string | null {
  if (typeof reason === 'string') return reason;
  if (typeof reason !== 'object' || reason === null || !('message' in reason)) return null;
  return String(reason.message);
}
