import type { healthEn } from './health.en';
import { numbers } from './numbers';

const { bytes, count, plural, when } = numbers('de');

const problems = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Problem', other: 'Probleme' })}`;
const objects = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Objekt', other: 'Objekte' })}`;
const records = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Eintrag', other: 'Einträge' })}`;

/** German, of the health of a volume. */
export const healthDe: typeof healthEn = {
  busy: 'Für jedes Laufwerk läuft nur eines zur Zeit: Bitte das andere abwarten oder abbrechen.',
  running: {
    check: 'Das Laufwerk wird geprüft.',
    repair: 'Das Laufwerk wird geprüft und repariert.',
    find_garbage: 'Es wird gesucht, was freigegeben werden kann.',
    free_garbage: 'Platz wird freigegeben.',
  },
  done: {
    records: (done) => `${records(done)} verglichen`,
    objects: (done, total) =>
      total === null
        ? `${objects(done)} gefunden`
        : `${count(done)} von ${count(total)} Objekten gefunden`,
    contents: (done, total, size) =>
      total === null
        ? `${objects(done)} gelesen, ${bytes(size)}`
        : `${count(done)} von ${count(total)} Objekten gelesen, ${bytes(size)}`,
    other: (done, size) => `${objects(done)} angesehen, ${bytes(size)}`,
  },
  check: {
    title: 'Prüfen',
    hint: 'Vergleicht die Einträge des Laufwerks miteinander und mit den Objekten in seinem Speicher. Es kann dabei benutzt werden.',
    never: 'Auf diesem Computer wurde es noch nicht geprüft.',
    sound: (time) => `Geprüft am ${when(time)}: Es wurde nichts Falsches gefunden.`,
    mended: (time, value) =>
      `Repariert am ${when(time)}: ${problems(value)} repariert, sonst wurde nichts gefunden.`,
    open: (time, value) =>
      `Geprüft am ${when(time)}: ${problems(value)} ${plural(value, { one: 'wurde', other: 'wurden' })} gefunden.`,
    left: (time, repaired, value) =>
      `Repariert am ${when(time)}: ${problems(repaired)} repariert, ${count(value)} übrig.`,
    drifted: (time, value) =>
      `Geprüft am ${when(time)}: Nichts ist verloren. ${count(value)} ` +
      `${plural(value, { one: 'Zahl weicht', other: 'Zahlen weichen' })} ab, wie es vorkommen kann.`,
    looked: (nodes, value) =>
      `Angesehen: ${count(nodes)} ${plural(nodes, { one: 'Datei oder Ordner', other: 'Dateien und Ordner' })} und ${objects(value)}.`,
    damaged: (value) =>
      `${records(value)} ${plural(value, { one: 'ist', other: 'sind' })} nicht zu lesen; was nur ${plural(value, { one: 'er', other: 'sie' })} sagen ${plural(value, { one: 'könnte', other: 'könnten' })}, wurde nicht geprüft.`,
    contents: {
      'not-read': 'Die Inhalte der Objekte wurden nicht gelesen.',
      length:
        'Jedes Objekt wurde gelesen. Einfache Objekte tragen keine Prüfsumme: Ein verändertes Byte wird darin nicht gefunden.',
      decompressed:
        'Jedes Objekt wurde gelesen und entpackt. Eine Veränderung, die sich noch entpacken lässt, wird nicht gefunden.',
      authenticated:
        'Jedes Objekt wurde gelesen; die Veränderung jedes einzelnen Bytes wäre gefunden worden.',
    },
    start: 'Jetzt prüfen',
    everything: 'Auch jedes Objekt lesen',
    everythingHint:
      'Liest alle Daten des Laufwerks aus seinem Speicher. Das dauert lange, und manche Anbieter berechnen es.',
    findings: 'Was gefunden wurde',
    more: (value) => `${count(value)} weitere; eine neue Prüfung oder „moorage fsck“ nennt sie.`,
  },
  finding: {
    severity: {
      error: 'Verloren oder in Gefahr',
      warning: 'Falsch, nichts ist verloren',
      note: 'Eine Zahl weicht ab',
    },
    defect: {
      'damaged-record': 'Ein Eintrag ist nicht zu lesen',
      'missing-node': 'Ein Name führt ins Leere',
      'wrong-kind': 'Ein Name und sein Ziel widersprechen sich darin, was es ist',
      'wrong-parent': 'Etwas nennt einen anderen Ordner als den, in dem es liegt',
      'second-name': 'Etwas hat mehr Namen, als es haben darf',
      'reserved-name': 'Ein Name, den nichts haben darf',
      'missing-directory': 'Ein Ordner ist weg, und was darin war, ist noch da',
      loop: 'Ordner, die ineinander liegen',
      orphan: 'Etwas ohne Namen',
      'link-count': 'Eine falsche Anzahl von Namen',
      'missing-target': 'Eine symbolische Verknüpfung ohne Ziel',
      'missing-acl': 'Zugriffsregeln, die weg sind',
      'deleted-but-present': 'Eine Datei ist da und als gelöscht verzeichnet',
      'directory-statistics': 'Die Statistik eines Ordners weicht ab',
      'usage-counter': 'Die Zahl des belegten Platzes weicht ab',
      'allocation-counter': 'Ein Zähler würde eine Nummer zweimal vergeben',
      'orphaned-chunk': 'Stücke von Dateien, die es nicht gibt, belegen Platz',
      'slice-owners': 'Eine falsche Anzahl der Dateien, die sich ein Stück Daten teilen',
      'missing-object': 'Ein Objekt fehlt im Speicher',
      'not-uploaded': 'Ein Objekt wartet auf diesem Computer auf das Hochladen',
      'wrong-object-size': 'Ein Objekt hat eine unmögliche Größe',
      'damaged-object': 'Ein Objekt lässt sich nicht wieder lesen',
    },
    unknown: 'Etwas anderes ist falsch',
    possible: 'Es kann unten repariert werden.',
    done: 'Es wurde repariert.',
    failed: 'Es konnte nicht repariert werden.',
    todo: 'Abhilfe',
  },
  repair: {
    start: 'Reparieren',
    question: (value) =>
      `Das Laufwerk wird noch einmal geprüft, und ${problems(value)} ${plural(value, { one: 'wird', other: 'werden' })} repariert: ` +
      'Zahlen werden neu bestimmt, Namen, die ins Leere führen, entfernt, und was keinen Namen hat, bekommt einen in /lost+found, wenn es nicht gelöscht war. ' +
      'Der Inhalt von Dateien wird nicht angerührt.',
    reads: 'Auch jedes Objekt wird noch einmal gelesen.',
    confirm: 'Ja, reparieren',
    keep: 'Nicht jetzt',
  },
  space: {
    title: 'Platz freigeben',
    hint: 'Findet, was umsonst Platz belegt: Papierkorb über seine Tage hinaus, Daten gelöschter Dateien und Objekte, die keine Datei nennt. Nichts wird gelöscht, bevor es zu sehen war.',
    never: 'Seit dem Start von Moorage wurde nicht danach gesucht.',
    find: 'Zeigen, was frei werden kann',
    nothing: (time) => `Stand vom ${when(time)}: Nichts kann freigegeben werden.`,
    some: (time, value, size) =>
      `Stand vom ${when(time)}: ${objects(value)} (${bytes(size)}) ${plural(value, { one: 'kann', other: 'können' })} freigegeben werden.`,
    freed: (time, value, size) =>
      `Freigegeben am ${when(time)}: ${objects(value)}, ${bytes(size)}.`,
    records: (time) =>
      `Stand vom ${when(time)}: Nur Einträge ohne Daten können freigegeben werden.`,
    can: 'Kann gelöscht werden',
    deleted: 'Wurde gelöscht',
    kept: 'Bleibt',
    objects: (value, size) => `${objects(value)}, ${bytes(size)}`,
    counted: (value, size) => `${count(value)}, ${bytes(size)}`,
    count: (value) => count(value),
    pending: 'Daten, die schon gelöscht werden sollen',
    leaked: 'Objekte, die niemand nennt',
    expired_trash: 'Papierkorb über seine Tage hinaus',
    abandoned_clones: 'Nie fertig gewordene Kopien von Ordnern',
    deleted_files: 'Gelöschte Dateien, die noch Daten haben',
    expired_slices: 'Ersetzte Stücke über die Tage des Papierkorbs hinaus',
    dead_slices: 'Stücke ohne Datei',
    orphaned_chunks: 'Stücke von Dateien, die es nicht gibt',
    valid: 'Benutzte Objekte',
    delayed: 'Ersetzte Daten, für die Tage des Papierkorbs',
    young: 'Objekte, die zu jung für ein Urteil sind',
    ahead: 'Objekte einer neueren Kopie der Datenbank',
    foreign: 'Schlüssel, die keine Objekte des Laufwerks sind',
    damaged: (value) =>
      `${records(value)} ${plural(value, { one: 'ist', other: 'sind' })} nicht zu lesen; was darin genannt sein kann, bleibt. Bitte das Laufwerk prüfen.`,
    free: 'Freigeben',
    question:
      'Es gibt keinen Weg zurück. Es wird noch einmal gesucht, was umsonst Platz belegt, und das wird gelöscht; Dateien und was innerhalb seiner Tage im Papierkorb liegt, bleiben.',
    confirm: (size) => `Ja, ${bytes(size)} löschen`,
    confirmRecords: 'Ja, löschen',
    keep: 'Behalten',
  },
};
