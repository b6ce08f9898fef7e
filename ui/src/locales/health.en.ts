import type { CheckedContents } from '../bindings/CheckedContents';
import type { FindingSeverity } from '../bindings/FindingSeverity';
import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('en');

const problems = (value: number) =>
  `${count(value)} ${plural(value, { one: 'problem', other: 'problems' })}`;
const objects = (value: number) =>
  `${count(value)} ${plural(value, { one: 'object', other: 'objects' })}`;
const records = (value: number) =>
  `${count(value)} ${plural(value, { one: 'record', other: 'records' })}`;

const severity: Record<FindingSeverity, string> = {
  error: 'Lost or in danger',
  warning: 'Wrong, nothing is lost',
  note: 'A number has drifted',
};

const contents: Record<CheckedContents, string> = {
  'not-read': 'Contents of objects were not read.',
  length:
    'Every object was read. Plain objects carry no checksum: a changed byte in one is not found.',
  decompressed:
    'Every object was read and decompressed. A change that can still be decompressed is not found.',
  authenticated: 'Every object was read; a change of any byte would have been found.',
};

/** Short names of what a check finds, by the codes of `moorage fsck`. */
const defect: Record<string, string> = {
  'damaged-record': 'A record can not be read',
  'missing-node': 'A name leads nowhere',
  'wrong-kind': 'A name and what it leads to disagree on what it is',
  'wrong-parent': 'Something names another folder than the one it is in',
  'second-name': 'Something has more names than it may',
  'reserved-name': 'A name that nothing may have',
  'missing-directory': 'A folder is gone, and what was in it is not',
  loop: 'Folders that lie in each other',
  orphan: 'Something without a name',
  'link-count': 'A wrong count of names',
  'missing-target': 'A symbolic link without a target',
  'missing-acl': 'Access rules that are gone',
  'deleted-but-present': 'A file is there and recorded as deleted',
  'directory-statistics': 'The statistics of a folder have drifted',
  'usage-counter': 'The count of used space has drifted',
  'allocation-counter': 'A counter would give a number twice',
  'orphaned-chunk': 'Pieces of files that do not exist take space',
  'slice-owners': 'A wrong count of the files that share a piece of data',
  'missing-object': 'An object is missing in the store',
  'not-uploaded': 'An object waits on this computer for its upload',
  'wrong-object-size': 'An object has an impossible size',
  'damaged-object': 'An object can not be read back',
};

/** English, of the health of a volume. */
export const healthEn = {
  busy: 'One thing is done at a time for each volume: wait for the other one, or cancel it.',
  running: {
    check: 'The volume is being checked.',
    repair: 'The volume is being checked and repaired.',
    find_garbage: 'What can be freed is being looked for.',
    free_garbage: 'Space is being freed.',
  },
  done: {
    records: (done: number) => `${records(done)} compared`,
    objects: (done: number, total: number | null) =>
      total === null ? `${objects(done)} found` : `${count(done)} of ${objects(total)} found`,
    contents: (done: number, total: number | null, size: number) =>
      `${total === null ? count(done) : `${count(done)} of`} ${objects(total ?? done)} read, ${bytes(size)}`,
    other: (done: number, size: number) => `${objects(done)} looked at, ${bytes(size)}`,
  },
  check: {
    title: 'Check',
    hint: 'Compares the records of the volume with each other and with the objects in its store. The volume can be in use meanwhile.',
    never: 'It was not checked on this computer yet.',
    sound: (time: number) => `Checked ${when(time)}: nothing wrong was found.`,
    mended: (time: number, value: number) =>
      `Repaired ${when(time)}: ${problems(value)} repaired, nothing else was found.`,
    open: (time: number, value: number) =>
      `Checked ${when(time)}: ${problems(value)} ${plural(value, { one: 'was', other: 'were' })} found.`,
    left: (time: number, repaired: number, value: number) =>
      `Repaired ${when(time)}: ${problems(repaired)} repaired, ${count(value)} left.`,
    drifted: (time: number, value: number) =>
      `Checked ${when(time)}: nothing is lost. ${count(value)} ` +
      `${plural(value, { one: 'number has', other: 'numbers have' })} drifted, as may happen.`,
    looked: (nodes: number, value: number) =>
      `Looked at ${count(nodes)} ${plural(nodes, { one: 'file or folder', other: 'files and folders' })} and ${objects(value)}.`,
    damaged: (value: number) =>
      `${records(value)} can not be read; what only ${plural(value, { one: 'it', other: 'they' })} could tell was not checked.`,
    contents,
    start: 'Check now',
    everything: 'Read every object too',
    everythingHint:
      'Reads all data of the volume from its store. That takes long, and some stores charge for it.',
    findings: 'What was found',
    more: (value: number) => `${count(value)} more; a new check or “moorage fsck” names them.`,
  },
  finding: {
    severity,
    defect,
    unknown: 'Something else is wrong',
    possible: 'It can be repaired, below.',
    done: 'It was repaired.',
    failed: 'It could not be repaired.',
    todo: 'What to do',
  },
  repair: {
    start: 'Repair',
    question: (value: number) =>
      `The volume is checked once more, and ${problems(value)} ${plural(value, { one: 'is', other: 'are' })} repaired: ` +
      'counts are made anew, names that lead nowhere are removed, and what has no name gets one in /lost+found, unless it was deleted. ' +
      'The content of files is not touched.',
    reads: 'Every object is read once more too.',
    confirm: 'Yes, repair',
    keep: 'Not now',
  },
  space: {
    title: 'Free space',
    hint: 'Finds what takes space for nothing: trash past its days, data of deleted files, and objects that no file names. Nothing is deleted before you have seen it.',
    never: 'It was not looked for since Moorage was started.',
    find: 'See what can be freed',
    nothing: (time: number) => `As of ${when(time)}: nothing can be freed.`,
    some: (time: number, value: number, size: number) =>
      `As of ${when(time)}: ${objects(value)}, ${bytes(size)}, can be freed.`,
    freed: (time: number, value: number, size: number) =>
      `Freed ${when(time)}: ${objects(value)}, ${bytes(size)}.`,
    records: (time: number) => `As of ${when(time)}: only records without data can be freed.`,
    can: 'Can be deleted',
    deleted: 'Was deleted',
    kept: 'Is kept',
    objects: (value: number, size: number) => `${objects(value)}, ${bytes(size)}`,
    counted: (value: number, size: number) => `${count(value)}, ${bytes(size)}`,
    count: (value: number) => count(value),
    pending: 'Data whose deletion is pending',
    leaked: 'Objects that nothing names',
    expired_trash: 'Entries of the trash past its days',
    abandoned_clones: 'Copies of folders that were never finished',
    deleted_files: 'Deleted files that still have data',
    expired_slices: 'Replaced pieces of files past the trash days',
    dead_slices: 'Pieces without a file',
    orphaned_chunks: 'Pieces of files that do not exist',
    valid: 'Objects in use',
    delayed: 'Replaced data, for the trash days',
    young: 'Objects too young to judge',
    ahead: 'Objects of a newer copy of the database',
    foreign: 'Keys that are no objects of the volume',
    damaged: (value: number) =>
      `${records(value)} can not be read, so what they may name is kept. Check the volume.`,
    free: 'Free it',
    question:
      'There is no way back. It is looked once more what takes space for nothing, and that is deleted; files and what lies in the trash within its days stay.',
    confirm: (size: number) => `Yes, delete ${bytes(size)}`,
    confirmRecords: 'Yes, delete it',
    keep: 'Keep it',
  },
};
