import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('en');

const entries = (value: number) =>
  `${count(value)} ${plural(value, { one: 'entry', other: 'entries' })}`;
const days = (value: number) => `${count(value)} ${plural(value, { one: 'day', other: 'days' })}`;

/** English, of the trash of a volume. */
export const trashEn = {
  title: 'Deleted files',
  off: 'The trash of this volume is off: what is deleted is gone for good.',
  kept: (value: number) => `What is deleted is kept for ${days(value)}.`,
  total: (value: number, size: number) => `About ${entries(value)}, ${bytes(size)}.`,
  none: 'The trash is empty.',
  noMore: 'Nothing more is there.',
  damaged: (value: number) =>
    `${entries(value)} can not be read and ${plural(value, { one: 'is', other: 'are' })} not shown. ` +
    '“moorage fsck” names what is damaged.',
  more: 'Show more',
  facts: (time: number | null, size: number | null) =>
    [time === null ? null : `deleted ${when(time)}`, size === null ? null : bytes(size)]
      .filter((fact) => fact !== null)
      .join(', '),
  folder: (inside: number) =>
    inside === 0 ? 'Folder' : `Folder, deleted with ${entries(inside)} inside`,
  cut: 'Its name was too long for the trash and is cut.',
  gone: 'The folder it was in is gone for good: it can only be copied out on the command line.',
  removed: 'The folder it was in comes back with it.',
  inside: (name: string) => `Show what was in “${name}”`,
  outside: (name: string) => `Hide what was in “${name}”`,
  chosen: {
    title: 'Chosen',
    none: 'Choose in the list what is to be restored, or deleted for good.',
    some: (value: number) => `${entries(value)} chosen.`,
    clear: 'Choose nothing',
    restore: 'Restore where it was',
    purge: 'Delete for good',
    confirm: (value: number) => `Yes, delete ${entries(value)} for good`,
    warning: 'There is no way back. Folders go with everything that was deleted inside them.',
    keep: 'Keep it',
  },
  restored: (value: number) =>
    value === 0 ? 'Nothing was restored.' : `${entries(value)} restored.`,
  notRestored: 'Not restored',
  left: (value: number) =>
    `${entries(value)} inside stay in the trash: their names are taken, or a quota is too small.`,
  outcome: {
    restored: 'It is back.',
    name_taken: 'Something else has its name there now. Rename that, and restore it again.',
    folder_gone:
      'The folder it was in is gone for good. Copy it from .trash of the mounted volume.',
    over_quota: 'It does not fit a quota there, or the volume. Make room, and restore it again.',
    not_there: 'It is not in the trash any more: somebody else restored or deleted it.',
    unnamed: 'Its name does not tell where it was. Copy it from .trash of the mounted volume.',
  },
  purged: (value: number) => `${entries(value)} deleted for good.`,
  missing: (value: number) =>
    `${entries(value)} ${plural(value, { one: 'was', other: 'were' })} not in the trash any more.`,
  job: {
    title: { restore: 'Restoring', purge: 'Deleting for good' },
    running: {
      restore: 'What was chosen is being restored. That goes on when this window is closed.',
      purge: 'It is being deleted for good. That goes on when this window is closed.',
    },
    done: (done: number, total: number | null) =>
      total === null ? `${entries(done)} done` : `${count(done)} of ${entries(total)} done`,
    busy: 'One thing is done at a time: wait for the other one, or cancel it.',
  },
  older: {
    title: 'Make room',
    hint: 'What is deleted for good gives its space back at once, before its time in the trash is over.',
    label: 'What goes',
    than: (value: number) => (value === 0 ? 'Everything' : `Deleted more than ${days(value)} ago`),
    ask: 'Delete for good',
    nothing: 'Nothing in the trash is that old.',
    confirm: (value: number | null) =>
      value === null ? 'Yes, delete it for good' : `Yes, delete about ${entries(value)} for good`,
  },
};
