import type { LogEnd } from '../bindings/LogEnd';

/** The end of a log; that of the agent for no volume. */
export function logEnd(volume: string | null): LogEnd {
  const name = volume === null ? 'agent' : '%2Fhome%2Fada%2FPhotos';
  return {
    path: `/home/ada/.local/state/moorage/log/${name}.log`,
    lines: [
      '2026-11-28T02:11:09.120834Z  INFO mounting volume="Photos"',
      '2026-11-28T02:14:40.002117Z  WARN the object store does not answer: connection refused',
      '2026-11-28T02:15:02.771400Z  INFO the object store answers again',
    ],
    earlier: true,
  };
}
