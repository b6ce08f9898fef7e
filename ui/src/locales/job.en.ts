import { numbers } from './numbers';

const { when } = numbers('en');

/** English, of long work on a volume. */
export const jobEn = {
  cancel: 'Cancel',
  ending: 'It is being cancelled…',
  progress: 'How far it is',
  cancelled: (time: number) => `Cancelled ${when(time)}. What was done by then stays done.`,
  failed: (time: number) => `It failed, ${when(time)}.`,
};
