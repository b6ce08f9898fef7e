import type { jobEn } from './job.en';
import { numbers } from './numbers';

const { when } = numbers('de');

/** German, of long work on a volume. */
export const jobDe: typeof jobEn = {
  cancel: 'Abbrechen',
  ending: 'Es wird abgebrochen …',
  progress: 'Wie weit es ist',
  cancelled: (time) => `Abgebrochen am ${when(time)}. Was bis dahin getan war, bleibt getan.`,
  failed: (time) => `Es ist fehlgeschlagen, am ${when(time)}.`,
};
