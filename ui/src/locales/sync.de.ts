import { numbers } from './numbers';
import type { syncEn } from './sync.en';

const { bytes, count, plural, when } = numbers('de');

const files = (value: number) =>
  `${count(value)} ${plural(value, { one: 'Datei', other: 'Dateien' })}`;

/** German, of the pages about sync pairs. */
export const syncDe: typeof syncEn = {
  title: 'Abgleich',
  lead: 'Ein Ordner dieses Computers und ein Ordner eines Laufwerks, die gleich gehalten werden, oder einer wie der andere.',
  none: 'Noch wird kein Ordner abgeglichen.',
  add: 'Paar hinzufügen',
  back: 'Alle Paare',
  details: 'Einzelheiten',
  gone: 'Dieses Paar gibt es nicht',
  goneHint: 'Vielleicht wurde es aus der Liste entfernt.',
  notOffered: 'Der Agent dieser Version gleicht keine Ordner ab. Bitte Moorage aktualisieren.',
  place: (volume, folder) => (folder === '' ? volume : `${volume} / ${folder}`),
  mode: { two_way: 'Beidseitig', back_up: 'Sichern', mirror: 'Spiegeln' },
  modeHint: {
    two_way: 'Änderungen jeder Seite kommen zur anderen, auch Löschungen.',
    back_up:
      'Änderungen des lokalen Ordners kommen auf das Laufwerk. Dort wird nichts gelöscht, und der lokale Ordner wird nie verändert.',
    mirror:
      'Änderungen des Laufwerks kommen in den lokalen Ordner, auch Löschungen. Das Laufwerk wird nie verändert.',
  },
  state: {
    waiting: 'Wartet',
    paused: 'Angehalten',
    running: 'Läuft',
    up_to_date: 'Aktuell',
    asking: 'Fragt',
    incomplete: 'Unvollständig',
    error: 'Fehler',
  },
  reason: {
    waiting: 'Sein Laufwerk ist nicht eingehängt. Es geht von selbst weiter, sobald es das ist.',
    pausedAll: 'Alle Übertragungen sind angehalten; unter Aktivität gehen sie weiter.',
    paused: 'Sie haben es angehalten.',
    incomplete: 'Der letzte Lauf ließ etwas übrig. Es wird von selbst wieder versucht.',
    unwatched: 'Das System meldet keine Änderungen im lokalen Ordner; der nächste Lauf findet sie.',
  },
  acts: {
    run: 'Jetzt abgleichen',
    pause: 'Anhalten',
    resume: 'Fortsetzen',
    preview: 'Zeigen, was der nächste Lauf täte',
  },
  question: {
    title: 'Es würden viele Dateien gelöscht',
    local: (value) => `${files(value)} von diesem Computer`,
    volume: (value, volume) => `${files(value)} von ${volume}`,
    text: (removals, known) =>
      `Gelöscht würden ${removals}; beide Seiten hatten ${files(known)}. Nichts wurde verändert.`,
    and: ' und ',
    keep: 'Behalten',
    keepHint:
      'Was auf einer Seite fehlt, kommt dorthin zurück; beim Spiegeln bleibt es auf diesem Computer.',
    remove: (value) => `${files(value)} löschen`,
  },
  run: {
    title: 'Letzter Lauf',
    none: 'Seit dem Start des Agenten ist keiner beendet.',
    ended: 'Beendet',
    next: 'Nächster Lauf bis',
    toVolume: 'Auf das Laufwerk kopiert',
    toLocal: 'Auf diesen Computer kopiert',
    bytes: 'Bytes kopiert',
    removedVolume: 'Vom Laufwerk gelöscht',
    removedLocal: 'Von diesem Computer gelöscht',
    postponed: 'Inzwischen verändert, für den nächsten Lauf',
    failed: 'Fehlgeschlagen',
    failures: 'Was fehlschlug',
    more: (value) => `${files(value)} mehr`,
    when: (time) => when(time),
    nothing: 'Es war nichts zu tun.',
  },
  conflicts: {
    title: 'Konflikte',
    hint: 'Beide Seiten hatten eine eigene Fassung, deshalb bekam eine davon einen anderen Namen. Vergleichen Sie beide, behalten Sie, was Sie wollen, und löschen Sie die andere oder benennen Sie sie um; dann ist es erledigt.',
    local: 'Die Fassung dieses Computers',
    volume: 'Die Fassung des Laufwerks',
    is: (path, copy) => `von ${path} ist ${copy}`,
    count: (value) => `${count(value)} ${plural(value, { one: 'Konflikt', other: 'Konflikte' })}`,
  },
  preview: {
    title: 'Was der erste Lauf täte',
    nextTitle: 'Was der nächste Lauf täte',
    toVolume: 'Auf das Laufwerk',
    toLocal: 'Auf diesen Computer',
    removedVolume: 'Vom Laufwerk gelöscht',
    removedLocal: 'Von diesem Computer gelöscht',
    comparisons: 'Auf beiden Seiten, zu vergleichen',
    unreadable: 'Nicht lesbar, bleibt unberührt',
    special: 'Keine Dateien, bleiben unberührt',
    amount: (value, size) => `${files(value)}, ${bytes(size)}`,
    files,
    asks: 'Vor so vielen Löschungen würde gefragt.',
    same: 'Was auf beiden Seiten gleich ist, bleibt; wo sie sich unterscheiden, bekommt eine Fassung einen anderen Namen.',
  },
  form: {
    folders: 'Ordner',
    local: 'Ordner dieses Computers',
    localHint:
      'Der ganze Pfad. Er wird angelegt, wenn es ihn nicht gibt, außer wenn er zu sichern ist.',
    localProblem: 'Geben Sie den ganzen Pfad eines Ordners an.',
    volume: 'Welches Laufwerk',
    volumeHint: 'Für die Vorschau und für jeden Lauf muss es eingehängt sein.',
    noVolume: 'Fügen Sie zuerst ein Laufwerk hinzu.',
    folder: 'Ordner auf dem Laufwerk',
    folderHint:
      'Etwa fotos/2026; leer heißt das ganze Laufwerk. Er wird angelegt, wenn es ihn nicht gibt.',
    mode: 'Wozu das Paar dient',
    rules: 'Regeln',
    ignore: 'Namen, die unberührt bleiben',
    ignoreHint:
      'Muster, durch Kommas getrennt, etwa *.part, cache/. Was Systeme und Büroprogramme hinterlassen, bleibt immer unberührt.',
    preview: 'Zeigen, was geschähe',
    add: 'Hinzufügen und beginnen',
    unseen: 'Sehen Sie sich zuerst an, was geschähe.',
    save: 'Speichern',
    saved: 'Gespeichert. Es läuft neu.',
    settings: 'Einstellungen',
  },
  removal: {
    title: 'Entfernen',
    hint: 'Beide Ordner bleiben, wie sie sind.',
    ask: 'Paar entfernen',
    keep: 'Behalten',
    confirm: 'Ja, nicht mehr abgleichen',
  },
};
