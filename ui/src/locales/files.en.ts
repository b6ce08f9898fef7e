import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('en');

/** English, of the page about the files of a volume. */
export const filesEn = {
  title: 'Files',
  path: 'Folder',
  size: bytes,
  modified: (time: number) => `changed ${when(time)}`,
  kind: { folder: 'Folder', other: 'Link or special file' },
  state: {
    only_here: 'Only on this computer so far',
    waiting: 'Waiting to be fetched',
    local: 'On this disk',
    partly: 'Partly on this disk',
    remote: 'In the store',
  },
  pinned: { own: 'kept on this computer', above: 'kept with its folder' },
  pin: 'Keep on this computer',
  unpin: 'Keep no longer',
  offer: {
    needless:
      'The objects of this volume lie on this computer, so all of its files are here anyway.',
    no_cache: 'This volume is mounted without a cache on disk, so no file can be kept here.',
  },
  notMounted: 'The files are seen here while the volume is mounted.',
  loading: 'Looking…',
  empty: 'This folder is empty.',
  entries: (value: number) =>
    `${count(value)} ${plural(value, { one: 'entry', other: 'entries' })} on this page`,
  pages: 'Pages of the folder',
  next: 'Next page',
  previous: 'Previous page',
  again: 'Look again',
};
