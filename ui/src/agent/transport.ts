import type { Problem } from '../bindings/Problem';
import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { VolumeId } from '../bindings/VolumeId';

/** The way to the agent: what the window needs of it, whatever carries it. */
export interface Transport {
  /** Asks once. Rejects with {@link Refused} when the agent says no, with anything else when it is not heard. */
  ask(request: Request): Promise<Response>;
  /** Hears that something changed until the returned function is called. */
  listen(heard: () => void): () => void;
  /** Shows the folder of a volume in the file manager. Rejects as `ask`. */
  open(id: VolumeId): Promise<void>;
  /** The person's own folder, below which a volume may appear. */
  home(): Promise<string>;
  /** Writes what another computer joins a volume by to a file that the person chooses; whether one was chosen. */
  exportVolume(id: VolumeId): Promise<boolean>;
  /** Writes a report to a file that the person chooses; whether one was chosen. */
  saveReport(text: string): Promise<boolean>;
  /** Has the agent started that a person ended; that it runs is seen by asking it. */
  start(): Promise<void>;
}

/** The agent answered, and the answer is no. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
    this.name = 'Refused';
  }
}

function lost(): Promise<never> {
  return Promise.reject(new Error('the agent cannot be reached'));
}

/** No agent can be reached. */
export const unreachable: Transport = {
  ask: lost,
  listen: () => () => undefined,
  open: lost,
  home: lost,
  exportVolume: lost,
  saveReport: lost,
  start: lost,
};
