import type { licencesEn } from './licences.en';
import { numbers } from './numbers';

const { count } = numbers('de');

/** German, of the work of others. */
export const licencesDe: typeof licencesEn = {
  title: 'Die Arbeit anderer',
  hint: 'Moorage enthält Programme, die andere geschrieben haben und jeden benutzen lassen. Hier stehen ihre Bedingungen.',
  show: 'Liste zeigen',
  hide: 'Liste verbergen',
  search: 'Name oder Lizenz',
  count: (shown, all) =>
    shown === all ? `${count(all)} Pakete` : `${count(shown)} von ${count(all)} Paketen`,
  source: (address) => `Von ${address}`,
};
