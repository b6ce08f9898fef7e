import { filesEn } from './files.en';
import { healthEn } from './health.en';
import { jobEn } from './job.en';
import { licencesEn } from './licences.en';
import { numbers } from './numbers';
import { optionsEn, sessionsEn } from './parts.en';
import { syncEn } from './sync.en';
import { trashEn } from './trash.en';

const quantity = numbers('en');
const { bytes, count, plural, when, rate } = quantity;

/** A kind of failure in the words of a language. */
export interface Known {
  title: string;
  /** What to do; absent where the agent says it well enough. */
  advice: string | null;
}

const notOffered = 'Not available yet';

/** English; its shape is what every other language has to fill. */
export const en = {
  quantity,
  button: {
    retry: 'Try again',
    working: 'Working…',
  },
  look: {
    pending: 'It is being looked up…',
    again: 'Look again',
    seen: (time: number) => `As of ${when(time)}.`,
  },
  failure: {
    notConnected: 'Not connected. Whether anything was done is not known.',
    notHeard: 'No answer so far. Whether it was done is not known.',
    heals: 'It is tried again by itself; look at the state before you press again.',
    cause: 'Cause',
    advice: 'What to do',
    code: 'Code',
    notOffered,
    detail: 'In detail',
    // The agent speaks English itself, and says more than its codes do.
    known: (code: string): Known | null =>
      code === 'not_supported' ? { title: notOffered, advice: null } : null,
  },
  field: {
    required: 'Required',
  },
  truth: {
    notConnected: 'Not connected: what is stored is not known at the moment',
    stored: 'All files are safely stored',
    lost: (message: string) => `Data is lost: ${message}`,
    unknown: (message: string) => `What is stored could not be read: ${message}`,
    onlyHere: (files: number, size: number) =>
      `${count(files)} ${plural(files, { one: 'file', other: 'files' })}, ${bytes(size)}, ` +
      `${plural(files, { one: 'exists', other: 'exist' })} only on this computer`,
  },
  shell: {
    navigation: 'Pages',
    skip: 'Skip to the content',
    silent: 'Not connected',
    stopped: 'Moorage was stopped',
    stays:
      'Mounted volumes stayed mounted. Until it runs again nothing looks after them, and what is stored is not known here.',
    start: 'Start it again',
    heals:
      'Moorage does not answer at the moment. This page comes back by itself as soon as it does.',
    back: 'All volumes',
    unlimited: 'No limit',
    none: 'None',
  },
  welcome: {
    title: 'Welcome to Moorage',
    lead: 'Any object store as a disk. Begin with one of these; nothing is set up twice.',
    demo: 'A demo volume keeps its files on this computer. There is nothing to fill in.',
    joinTitle: 'Join a volume',
    join: 'A Moorage or JuiceFS volume that exists, by the address of its metadata database.',
    createTitle: 'Create a volume',
    create: 'A new volume, in a folder or a bucket of yours.',
    look: 'Language and appearance',
  },
  volumes: {
    title: 'Volumes',
    add: 'Add a volume',
    demo: 'Try a demo volume',
    open: 'Open folder',
    details: 'Details',
    mount: 'Mount',
    unmount: 'Unmount',
    takeAway: 'Unmount although in use',
    used: 'Used',
    waiting: 'Waiting to be uploaded',
    cache: 'Cache',
    space: (used: number, limit: number | null) =>
      limit === null ? bytes(used) : `${bytes(used)} of ${bytes(limit)}`,
    queue: (files: number, size: number) =>
      files === 0
        ? 'Nothing'
        : `${count(files)} ${plural(files, { one: 'file', other: 'files' })}, ${bytes(size)}`,
    waitsForUploads: (files: number, size: number) =>
      `Waits until ${count(files)} ${plural(files, { one: 'file', other: 'files' })} ` +
      `(${bytes(size)}) are stored.`,
    heldBy: (programs: string) => `In use by ${programs}.`,
    closeThem: 'Close them; the volume is unmounted as soon as nobody uses it.',
    state: {
      unconfigured: 'Incomplete',
      stopped: 'Stopped',
      connecting: 'Connecting',
      mounted: 'Mounted',
      degraded: 'Degraded',
      unmounting: 'Unmounting',
      error: 'Error',
    },
  },
  add: {
    title: 'Add a volume',
    way: 'What kind of volume',
    join: 'Join one that exists',
    create: 'Create a new one',
    name: 'Name',
    nameHint: 'What you call it here.',
    url: 'Metadata address',
    urlHint: 'Such as redis://server:6379/1 or sqlite3:///home/me/volume.db',
    urlPassword: 'The password in the address was taken out of it; it stands below.',
    urlProblem: 'An address begins with its engine, such as redis:// or sqlite3://',
    folder: 'Folder',
    folderHint: 'Where its files appear; it is made when it does not exist.',
    folderProblem: 'Give the whole path of a folder.',
    nameProblem: 'Give it a name.',
    bucketProblem: 'Name the folder or bucket.',
    password: 'Password of the database',
    passphrase: 'Passphrase of an encrypted volume',
    file: 'Fill in from a volume file',
    fileHint: 'One that Moorage wrote on another computer. It holds no password.',
    fileRead: 'The file was read. Look at what it filled in, and give what is missing.',
    secretProblem: 'The volume needs it.',
    secretHint: 'Goes to the agent and never comes back to this window.',
    store: 'Where the data goes',
    storage: 'Kind of store',
    storages: { file: 'A folder', s3: 'S3 or compatible', other: 'Another' },
    otherStorage: 'Name of the kind',
    otherHint: 'As moorage format --storage takes it.',
    bucket: 'Folder or bucket',
    bucketHint: 'Such as /home/me/objects or https://bucket.s3.eu-west-1.amazonaws.com',
    accessKey: 'Access key',
    secretKey: 'Secret key',
    token: 'Session token',
    compression: 'Compression',
    compressions: { none: 'None', lz4: 'LZ4 (fast)', zstd: 'Zstandard (small)' },
    trash: 'Days that deleted files are kept',
    trashProblem: 'Give a whole number of days, or nothing.',
    mounting: 'How it is mounted',
    atStart: 'Mount when Moorage starts',
    readOnly: 'Read only',
    writeBack: 'Keep writes on this disk first and upload them later',
    index: 'The metadata database is the only index of the files: back it up.',
    test: 'Test the connection',
    testing: 'Result of the test',
    joinNow: 'Add and mount',
    createNow: 'Create and mount',
    outcome: { passed: 'Passed', warned: 'Warning', failed: 'Failed', skipped: 'Not tried' },
    step: {
      dns: 'Name of the server',
      tcp: 'Connection',
      tls: 'Encryption of the connection',
      authentication: 'Credentials',
      put: 'Writing an object',
      get: 'Reading it',
      list: 'Listing',
      delete: 'Deleting it',
      clock_skew: 'Clock',
      latency: 'Latency',
      metadata_ping: 'Metadata database',
      prefix_empty: 'The place is empty',
      driver: 'Driver for mounting',
      folders: 'Folders of Moorage',
      disk_space: 'Space on their disks',
      agent: 'Agent',
      secret_store: 'Store of passwords',
      trial_volume: 'Making a volume for trial',
      trial_mount: 'Mounting, writing and reading it',
      trial_check: 'Unmounting and checking it',
    },
  },
  volume: {
    tabs: 'Parts of the volume',
    tab: {
      overview: 'Overview',
      trash: 'Trash',
      sessions: 'In use by',
      files: 'Files',
      health: 'Health',
      options: 'Options',
    },
    gone: 'There is no such volume',
    goneHint: 'It may have been removed from the list.',
    overview: 'Overview',
    files: 'Files and folders',
    operations: 'Requests answered',
    uploaded: 'Uploaded',
    downloaded: 'Downloaded',
    oldest: 'Oldest waiting since',
    errors: 'Errors since it was mounted',
    readers: 'Programs that read most',
    noFigures: 'No figures are known of it at the moment.',
    settings: 'On this computer',
    address: 'Metadata address',
    save: 'Save',
    saved: 'Saved. It holds from the next mount on.',
    secrets: 'Password',
    secretsHint: 'What you give replaces what was known before.',
    giveSecrets: 'Give to the agent',
    given: 'Taken. Mount the volume again.',
    remove: 'Remove from the list',
    exportTitle: 'For another computer',
    exportHint:
      'Writes a file by which another computer joins this volume: its name, its address and how it is mounted. Passwords and keys are not in it; give them another way.',
    exportLocal:
      'Its database is a file on this computer: the volume is found only where that path leads to the same file.',
    export: 'Save as a volume file',
    exported: 'Written.',
    limitHint: 'Megabytes a second; empty is no limit.',
    removeTitle: 'Remove',
    removeHint: 'Its files, its database and its objects stay. It has to be unmounted first.',
    removeConfirm: (name: string) => `Yes, remove “${name}” from the list`,
    keep: 'Keep it',
  },
  activity: {
    title: 'Activity',
    pause: 'Pause',
    quarter: 'For 15 minutes',
    hour: 'For 1 hour',
    until: 'Until resumed',
    resume: 'Resume',
    running: 'Uploads and downloads run.',
    paused: 'Uploads are held, and downloads that nobody waits for.',
    held: {
      metered: 'Uploads are held, and downloads that nobody waits for: the connection is metered.',
      battery:
        'Uploads are held, and downloads that nobody waits for: this computer runs on its battery.',
    },
    rules: 'Change the rule',
    pausedUntil: (time: number) => `Held until ${when(time)}.`,
    byVolume: 'Waiting to be uploaded',
    nothing: 'Nothing is waiting.',
    oldest: (time: number) => `oldest from ${when(time)}`,
    transfers: 'Transfers',
    notOffered: 'Single files on their way are not shown yet; the figures above are complete.',
    now: 'Now',
    waiting: 'Waiting',
    failed: 'Failed',
    history: 'Arrived',
    none: 'None',
    upload: 'Upload',
    download: 'Download',
    unnamed: 'A file',
    progress: (done: number, total: number) => `${bytes(done)} of ${bytes(total)}`,
    rate: (perSecond: number, seconds: number | null) =>
      seconds === null ? rate(perSecond) : `${rate(perSecond)}, ${count(seconds)} s left`,
    arrived: (time: number) => when(time),
    since: (time: number) => `since ${when(time)}`,
    retry: 'Try again',
    cancel: 'Give up',
  },
  files: filesEn,
  sync: syncEn,
  trash: trashEn,
  sessions: sessionsEn,
  health: healthEn,
  job: jobEn,
  options: optionsEn,
  licences: licencesEn,
  settings: {
    title: 'Settings',
    general: 'General',
    language: 'Language',
    system: 'As the system',
    theme: 'Appearance',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    security: 'Passwords',
    store: {
      keyring: 'Keyring of the system',
      encrypted_file: 'Encrypted file with a passphrase',
      key_file: 'Encrypted file with its key beside it',
    },
    storeLabel: 'Kept in',
    unlock: 'Unlock',
    passphrase: 'Passphrase of the file',
    access: {
      open: 'It can be read and written.',
      locked: 'It is locked. Unlock it; Moorage tries again by itself.',
      missing:
        'It does not answer. Passwords are kept in memory and asked for again after a restart of the agent.',
    },
    login: 'Start at login',
    notifications: 'Notifications',
    notificationsHint:
      'Of what you have to know while this window is closed: a volume that failed, files that do not reach the store, a locked keyring, a question.',
    onMetered: 'Hold transfers while the connection is metered',
    metered: (known: boolean | null): string =>
      known === null
        ? 'Whether it is metered is not known on this computer; then nothing is held.'
        : known
          ? 'It is metered now.'
          : 'It is not metered now.',
    onBattery: 'Hold transfers on battery',
    battery: (known: boolean | null): string =>
      known === null
        ? 'Whether this computer runs on a battery is not known; then nothing is held.'
        : known
          ? 'It runs on its battery now.'
          : 'It does not run on a battery now.',
    upload: 'Upload limit',
    download: 'Download limit',
    limitHint: 'Megabytes a second for all volumes; empty is no limit.',
    limitProblem: 'Give a number above 0, or nothing.',
    save: 'Save',
    network: 'Network and start',
  },
  diagnostics: {
    title: 'Diagnostics',
    agent: 'Agent',
    version: 'Version',
    process: 'Process',
    notices: 'Notices',
    noNotices: 'There is nothing to know.',
    counters: 'Counters',
    volume: 'Volume',
    requests: 'Requests',
    errors: 'Errors',
    test: 'Self-test',
    testHint:
      'Tries what Moorage needs of this computer, and mounts a small volume that is made for it. Your volumes are not touched.',
    runTest: 'Run the self-test',
    tested: 'The self-test has ended.',
    log: 'Log',
    logOf: 'Log of',
    search: 'Search',
    showLog: 'Show the log',
    noLog: 'There is nothing in it.',
    logLines: (shown: number, read: number, earlier: boolean) =>
      `${shown} of ${earlier ? `the last ${read}` : read} lines`,
    report: 'Report',
    reportHint:
      'What you see is what is copied or saved. Passwords are never part of it; addresses of servers and paths are left out.',
    show: 'Show the report',
    copy: 'Copy',
    copied: 'Copied.',
    saveReport: 'Save as a file',
    savedReport: 'Written.',
    about: 'About',
    aboutText:
      'Moorage: any object store as a disk. Licence: Apache-2.0; of the programs for Windows: GPL-3.0.',
    aboutWinFsp:
      'On Windows volumes appear through WinFsp - Windows File System Proxy, Copyright (C) Bill Zissimopoulos:',
  },
};

export type Catalogue = typeof en;
