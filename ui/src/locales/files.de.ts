import type { filesEn } from './files.en';
import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('de');

/** German, of the page about the files of a volume. */
export const filesDe: typeof filesEn = {
  title: 'Dateien',
  path: 'Ordner',
  size: bytes,
  modified: (time: number) => `geändert ${when(time)}`,
  kind: { folder: 'Ordner', other: 'Verknüpfung oder besondere Datei' },
  state: {
    only_here: 'Bisher nur auf diesem Computer',
    waiting: 'Wird noch geholt',
    local: 'Auf dieser Festplatte',
    partly: 'Zum Teil auf dieser Festplatte',
    remote: 'Im Speicher',
  },
  pinned: { own: 'bleibt auf diesem Computer', above: 'bleibt mit seinem Ordner hier' },
  pin: 'Auf diesem Computer behalten',
  unpin: 'Nicht mehr behalten',
  offer: {
    needless:
      'Die Objekte dieses Laufwerks liegen auf diesem Computer, also sind ohnehin alle Dateien hier.',
    no_cache:
      'Dieses Laufwerk ist ohne Cache auf der Festplatte eingehängt, also kann hier nichts behalten werden.',
  },
  notMounted: 'Die Dateien sind hier zu sehen, solange das Laufwerk eingehängt ist.',
  loading: 'Wird nachgesehen…',
  empty: 'Dieser Ordner ist leer.',
  entries: (value: number) =>
    `${count(value)} ${plural(value, { one: 'Eintrag', other: 'Einträge' })} auf dieser Seite`,
  pages: 'Seiten des Ordners',
  next: 'Nächste Seite',
  previous: 'Vorige Seite',
  again: 'Noch einmal nachsehen',
};
