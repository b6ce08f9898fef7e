import { numbers } from './numbers';
import type { optionsEn, sessionsEn } from './parts.en';

const { bytes, when } = numbers('de');

/** German, of who uses a volume. */
export const sessionsDe: typeof sessionsEn = {
  title: 'Wer es benutzt',
  hint: 'Jedes Einhängen des Laufwerks, auf diesem Computer und auf anderen, und Programme, die es geöffnet haben.',
  none: 'Zurzeit benutzt es niemand.',
  here: 'dieser Computer',
  unnamed: 'Ein Computer ohne Namen',
  mountPoint: 'Eingehängt in',
  since: 'Seit',
  expires: 'Gilt als weg ab',
  version: 'Fassung',
  process: 'Prozess',
  staged: 'Noch nicht hochgeladen',
  bytes: (value) => bytes(value),
  when: (value) => when(value),
  state: {
    alive: 'Lebt',
    expired: 'Zu lange nichts gehört: Der nächste Client, der aufräumt, entfernt die Sitzung.',
    dead: 'Der Prozess hat geendet: Die Sitzung wird entfernt, sobald sie als weg gilt.',
    unsupervised:
      'Lebt, käme nach einem Absturz aber nicht wieder: Das Laufwerk bitte neu einhängen.',
    damaged: 'Der Eintrag ist nicht zu lesen: „moorage fsck“ nennt, was beschädigt ist.',
  },
};

/** German, of the options of a volume itself. */
export const optionsDe: typeof optionsEn = {
  title: 'Das Laufwerk selbst',
  hint: 'Dies gilt für jeden Computer, der das Laufwerk benutzt. Eingehängte übernehmen es in Sekunden, ohne neues Einhängen.',
  capacity: 'Höchstens Platz',
  capacityHint: 'Gigabyte; leer heißt unbegrenzt.',
  capacityProblem: 'Bitte eine Größe über 0 angeben, oder nichts.',
  inodes: 'Höchstens Dateien und Ordner',
  inodesHint: 'Leer heißt unbegrenzt.',
  wholeProblem: 'Bitte eine ganze Zahl angeben, oder nichts.',
  trashDays: 'Tage, die Gelöschtes aufbewahrt wird',
  trashDaysHint: '0 schaltet den Papierkorb aus; was darin liegt, geht mit dem Ende seiner Zeit.',
  upload: 'Grenze beim Hochladen je Einhängen',
  download: 'Grenze beim Herunterladen je Einhängen',
  rateHint: 'Megabit je Sekunde; leer heißt unbegrenzt.',
  dirStats: 'Statistik jedes Ordners führen',
  userGroupQuota: 'Zählen, was Benutzer und Gruppen belegen',
  quotaHint:
    'Kontingente von Ordnern brauchen das erste, Kontingente von Benutzern und Gruppen das zweite. Beim Einschalten wird gezählt, was da ist; das dauert etwas.',
  save: 'Für alle Computer ändern',
  saved: 'Geändert. Eingehängte übernehmen es in Sekunden.',
  fixed: 'Beim Anlegen gewählt',
  name: 'Name im Laufwerk',
  store: 'Objekte',
  blockSize: 'Blockgröße',
  compression: 'Komprimierung',
  encryption: 'Verschlüsselung',
  encrypted: 'Die Blöcke sind verschlüsselt',
  bytes: (value) => bytes(value),
};
