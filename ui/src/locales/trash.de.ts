import { numbers } from './numbers';
import type { trashEn } from './trash.en';

const { bytes, count, plural, when } = numbers('de');

const entries = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Eintrag', other: 'Einträge' })}`;
const ofEntries = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Eintrag', other: 'Einträgen' })}`;
const ofDays = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Tag', other: 'Tagen' })}`;

/** German, of the trash of a volume. */
export const trashDe: typeof trashEn = {
  title: 'Gelöschte Dateien',
  off: 'Der Papierkorb dieses Laufwerks ist aus: Gelöschtes ist endgültig weg.',
  kept: (value) =>
    `Gelöschtes wird ${count(value)} ${plural(value, { one: 'Tag', other: 'Tage' })} aufbewahrt.`,
  total: (value, size) => `Etwa ${entries(value)}, ${bytes(size)}.`,
  none: 'Der Papierkorb ist leer.',
  noMore: 'Mehr ist nicht da.',
  damaged: (value) =>
    `${entries(value)} ${plural(value, { one: 'ist', other: 'sind' })} nicht zu lesen und ` +
    `${plural(value, { one: 'fehlt', other: 'fehlen' })} hier. „moorage fsck“ nennt, was beschädigt ist.`,
  more: 'Mehr anzeigen',
  facts: (time, size) =>
    [time === null ? null : `gelöscht ${when(time)}`, size === null ? null : bytes(size)]
      .filter((fact) => fact !== null)
      .join(', '),
  folder: (inside) => (inside === 0 ? 'Ordner' : `Ordner, gelöscht mit ${ofEntries(inside)} darin`),
  cut: 'Sein Name war zu lang für den Papierkorb und ist gekürzt.',
  gone: 'Der Ordner, in dem es lag, ist endgültig weg: Es lässt sich nur auf der Kommandozeile herauskopieren.',
  removed: 'Der Ordner, in dem es lag, kommt mit zurück.',
  inside: (name) => `Zeigen, was in „${name}“ war`,
  outside: (name) => `Verbergen, was in „${name}“ war`,
  chosen: {
    title: 'Ausgewählt',
    none: 'In der Liste auswählen, was wiederhergestellt oder endgültig gelöscht werden soll.',
    some: (value) => `${entries(value)} ausgewählt.`,
    clear: 'Nichts auswählen',
    restore: 'Wiederherstellen, wo es war',
    purge: 'Endgültig löschen',
    confirm: (value) => `Ja, ${entries(value)} endgültig löschen`,
    warning: 'Es gibt keinen Weg zurück. Ordner gehen mit allem, was darin gelöscht wurde.',
    keep: 'Behalten',
  },
  restored: (value) =>
    value === 0 ? 'Nichts wurde wiederhergestellt.' : `${entries(value)} wiederhergestellt.`,
  notRestored: 'Nicht wiederhergestellt',
  left: (value) =>
    `${entries(value)} darin bleiben im Papierkorb: Ihre Namen sind vergeben, oder ein Kontingent ist zu klein.`,
  outcome: {
    restored: 'Es ist wieder da.',
    name_taken:
      'Etwas anderes hat dort jetzt seinen Namen. Das umbenennen, dann noch einmal wiederherstellen.',
    folder_gone:
      'Der Ordner, in dem es lag, ist endgültig weg. Es aus .trash des eingehängten Laufwerks kopieren.',
    over_quota:
      'Es passt nicht in ein Kontingent dort oder in das Laufwerk. Platz schaffen, dann noch einmal wiederherstellen.',
    not_there:
      'Es ist nicht mehr im Papierkorb: Jemand anderes hat es wiederhergestellt oder gelöscht.',
    unnamed: 'Sein Name sagt nicht, wo es lag. Es aus .trash des eingehängten Laufwerks kopieren.',
  },
  purged: (value) => `${entries(value)} endgültig gelöscht.`,
  missing: (value) =>
    `${entries(value)} ${plural(value, { one: 'war', other: 'waren' })} nicht mehr im Papierkorb.`,
  job: {
    title: { restore: 'Wiederherstellen', purge: 'Endgültig löschen' },
    running: {
      restore:
        'Das Ausgewählte wird wiederhergestellt. Das geht weiter, wenn dieses Fenster geschlossen wird.',
      purge: 'Es wird endgültig gelöscht. Das geht weiter, wenn dieses Fenster geschlossen wird.',
    },
    done: (done, total) =>
      total === null
        ? `${entries(done)} erledigt`
        : `${count(done)} von ${ofEntries(total)} erledigt`,
    busy: 'Eines nach dem anderen: auf das andere warten oder es abbrechen.',
  },
  older: {
    title: 'Platz schaffen',
    hint: 'Was endgültig gelöscht wird, gibt seinen Platz sofort frei, bevor seine Zeit im Papierkorb um ist.',
    label: 'Was gelöscht wird',
    than: (value) => (value === 0 ? 'Alles' : `Vor mehr als ${ofDays(value)} Gelöschtes`),
    ask: 'Endgültig löschen',
    nothing: 'So alt ist nichts im Papierkorb.',
    confirm: (value) =>
      value === null ? 'Ja, endgültig löschen' : `Ja, etwa ${entries(value)} endgültig löschen`,
  },
};
