import { numbers } from './numbers';

const { bytes, when } = numbers('en');

/** English, of who uses a volume. */
export const sessionsEn = {
  title: 'Who uses it',
  hint: 'Every mount of the volume, on this computer and on others, and programs that have it open.',
  none: 'Nobody uses it now.',
  here: 'this computer',
  unnamed: 'A computer without a name',
  mountPoint: 'Mounted at',
  since: 'Since',
  expires: 'Counts as gone from',
  version: 'Version',
  process: 'Process',
  staged: 'Not uploaded yet',
  bytes: (value: number) => bytes(value),
  when: (value: number) => when(value),
  state: {
    alive: 'Alive',
    expired: 'Not heard of for too long: it is removed by the next client that cleans up.',
    dead: 'Its process has ended: it is removed once it counts as gone.',
    unsupervised: 'Alive, but after a crash it would not come back: mount it again.',
    damaged: 'Its record can not be read: “moorage fsck” names what is damaged.',
  },
};

/** English, of the options of a volume itself. */
export const optionsEn = {
  title: 'The volume itself',
  hint: 'These hold for every computer that uses the volume. Running mounts take them up within seconds, without being mounted again.',
  capacity: 'Most space',
  capacityHint: 'Gigabytes; empty is no limit.',
  capacityProblem: 'Give a size above 0, or nothing.',
  inodes: 'Most files and folders',
  inodesHint: 'Empty is no limit.',
  wholeProblem: 'Give a whole number, or nothing.',
  trashDays: 'Days that deleted files are kept',
  trashDaysHint: '0 turns the trash off; what lies in it goes when its time is over.',
  upload: 'Upload limit of each mount',
  download: 'Download limit of each mount',
  rateHint: 'Megabits a second; empty is no limit.',
  dirStats: 'Keep statistics of each folder',
  userGroupQuota: 'Count what users and groups use',
  quotaHint:
    'Quotas of folders need the first, quotas of users and groups the second. Turning one on counts what is there, which takes a while.',
  save: 'Change for all computers',
  saved: 'Changed. Running mounts take it up within seconds.',
  fixed: 'Chosen when it was made',
  name: 'Name in the volume',
  store: 'Objects',
  blockSize: 'Block size',
  compression: 'Compression',
  encryption: 'Encryption',
  encrypted: 'Blocks are encrypted',
  bytes: (value: number) => bytes(value),
};
