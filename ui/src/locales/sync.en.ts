import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('en');

const files = (value: number) =>
  `${count(value)} ${plural(value, { one: 'file', other: 'files' })}`;

/** English, of the pages about sync pairs. */
export const syncEn = {
  title: 'Sync',
  lead: 'A folder of this computer and a folder of a volume that are kept the same, or one like the other.',
  none: 'No folder is kept in sync yet.',
  add: 'Add a pair',
  back: 'All pairs',
  details: 'Details',
  gone: 'There is no such pair',
  goneHint: 'It may have been removed from the list.',
  notOffered: 'The agent of this version keeps no folders in sync. Update Moorage.',
  place: (volume: string, folder: string) => (folder === '' ? volume : `${volume} / ${folder}`),
  mode: { two_way: 'Two-way', back_up: 'Back up', mirror: 'Mirror' },
  modeHint: {
    two_way: 'Changes of each side come to the other, removals too.',
    back_up:
      'Changes of the local folder come to the volume. Nothing is removed there, and the local folder is never changed.',
    mirror:
      'Changes of the volume come to the local folder, removals too. The volume is never changed.',
  },
  state: {
    waiting: 'Waiting',
    paused: 'Paused',
    running: 'Running',
    up_to_date: 'Up to date',
    asking: 'Asks you',
    incomplete: 'Incomplete',
    error: 'Error',
  },
  reason: {
    waiting: 'Its volume is not mounted. It goes on by itself when that is.',
    pausedAll: 'All transfers are paused; Activity resumes them.',
    paused: 'You paused it.',
    incomplete: 'The last run left something undone. It is tried again by itself.',
    unwatched:
      'The system does not tell of changes in the local folder, so they are found by the next run.',
  },
  acts: {
    run: 'Sync now',
    pause: 'Pause',
    resume: 'Resume',
    preview: 'Show what the next run would do',
  },
  question: {
    title: 'It would remove many files',
    local: (value: number) => `${files(value)} from this computer`,
    volume: (value: number, volume: string) => `${files(value)} from ${volume}`,
    text: (removals: string, known: number) =>
      `It would remove ${removals}; both sides had ${files(known)}. Nothing was changed.`,
    and: ' and ',
    keep: 'Keep them',
    keepHint: 'What is gone from one side comes back there; in a mirror it stays on this computer.',
    remove: (value: number) => `Remove ${files(value)}`,
  },
  run: {
    title: 'Last run',
    none: 'None has ended since the agent started.',
    ended: 'Ended',
    next: 'Next run by',
    toVolume: 'Copied to the volume',
    toLocal: 'Copied to this computer',
    bytes: 'Bytes copied',
    removedVolume: 'Removed from the volume',
    removedLocal: 'Removed from this computer',
    postponed: 'Changed meanwhile, left for the next run',
    failed: 'Failed',
    failures: 'What failed',
    more: (value: number) => `${files(value)} more`,
    when: (time: number) => when(time),
    nothing: 'Nothing had to be done.',
  },
  conflicts: {
    title: 'Conflicts',
    hint: 'Both sides had a version of their own, so one of them got another name. Compare the two, keep what you want, and remove or rename the other; then it is settled.',
    local: 'The version of this computer',
    volume: 'The version of the volume',
    is: (path: string, copy: string) => `of ${path} is ${copy}`,
    count: (value: number) =>
      `${count(value)} ${plural(value, { one: 'conflict', other: 'conflicts' })}`,
  },
  preview: {
    title: 'What the first run would do',
    nextTitle: 'What the next run would do',
    toVolume: 'To the volume',
    toLocal: 'To this computer',
    removedVolume: 'Removed from the volume',
    removedLocal: 'Removed from this computer',
    comparisons: 'On both sides, to be compared',
    unreadable: 'Not readable, left alone',
    special: 'No files, left alone',
    amount: (value: number, size: number) => `${files(value)}, ${bytes(size)}`,
    files,
    asks: 'It would ask before it removes that much.',
    same: 'What is the same on both sides stays; where they differ, one version gets another name.',
  },
  form: {
    folders: 'Folders',
    local: 'Folder of this computer',
    localHint: 'The whole path. It is made when it does not exist, unless it is to be backed up.',
    localProblem: 'Give the whole path of a folder.',
    volume: 'Volume',
    volumeHint: 'It has to be mounted for the preview and for every run.',
    noVolume: 'Add a volume first.',
    folder: 'Folder in the volume',
    folderHint:
      'Such as photos/2026; empty is all of the volume. It is made when it does not exist.',
    mode: 'What the pair is for',
    rules: 'Rules',
    ignore: 'Names to leave alone',
    ignoreHint:
      'Patterns, separated by commas, such as *.part, cache/. What systems and office programs leave behind is always left alone.',
    preview: 'Show what would happen',
    add: 'Add and start',
    unseen: 'Look at what would happen first.',
    save: 'Save',
    saved: 'Saved. It runs anew.',
    settings: 'Settings',
  },
  removal: {
    title: 'Remove',
    hint: 'Both folders stay as they are.',
    ask: 'Remove the pair',
    keep: 'Keep it',
    confirm: 'Yes, stop keeping them in sync',
  },
};
