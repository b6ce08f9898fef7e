import { numbers } from './numbers';

const { count } = numbers('en');

/** English, of the work of others. */
export const licencesEn = {
  title: 'The work of others',
  hint: 'Moorage contains programs that others wrote and let everybody use. Their terms are here.',
  show: 'Show the list',
  hide: 'Hide the list',
  search: 'Name or licence',
  count: (shown: number, all: number) =>
    shown === all ? `${count(all)} packages` : `${count(shown)} of ${count(all)} packages`,
  source: (address: string) => `From ${address}`,
};
