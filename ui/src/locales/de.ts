import type { Catalogue } from './en';
import { filesDe } from './files.de';
import { healthDe } from './health.de';
import { known } from './problems.de';
import { jobDe } from './job.de';
import { licencesDe } from './licences.de';
import { numbers } from './numbers';
import { optionsDe, sessionsDe } from './parts.de';
import { syncDe } from './sync.de';
import { trashDe } from './trash.de';

const quantity = numbers('de');
const { bytes, count, plural, when, rate } = quantity;

export const de: Catalogue = {
  quantity,
  button: {
    retry: 'Erneut versuchen',
    working: 'Wird ausgeführt …',
  },
  look: {
    pending: 'Es wird nachgesehen …',
    again: 'Noch einmal nachsehen',
    seen: (time) => `Stand: ${when(time)}.`,
  },
  failure: {
    notConnected: 'Nicht verbunden. Ob etwas geschehen ist, ist nicht bekannt.',
    notHeard: 'Bisher keine Antwort. Ob es geschehen ist, ist nicht bekannt.',
    heals: 'Es wird von selbst wieder versucht; bitte vor erneutem Drücken den Zustand ansehen.',
    cause: 'Ursache',
    advice: 'Abhilfe',
    code: 'Kennung',
    notOffered: 'Noch nicht möglich',
    detail: 'Genauer (englisch)',
    known,
  },
  field: {
    required: 'Pflichtfeld',
  },
  truth: {
    notConnected: 'Nicht verbunden: Was gespeichert ist, ist zurzeit nicht bekannt',
    stored: 'Alle Dateien sind sicher gespeichert',
    lost: (message) => `Daten sind verloren: ${message}`,
    unknown: (message) => `Was gespeichert ist, war nicht zu lesen: ${message}`,
    onlyHere: (files, size) =>
      `${count(files)} ${plural(files, { one: 'Datei', other: 'Dateien' })} (${bytes(size)}) ` +
      `${plural(files, { one: 'liegt', other: 'liegen' })} nur auf diesem Computer`,
  },
  shell: {
    navigation: 'Seiten',
    skip: 'Zum Inhalt springen',
    silent: 'Nicht verbunden',
    stopped: 'Moorage wurde beendet',
    stays:
      'Eingehängte Laufwerke sind eingehängt geblieben. Bis es wieder läuft, kümmert sich nichts um sie, und was gespeichert ist, ist hier nicht bekannt.',
    start: 'Wieder starten',
    heals:
      'Moorage antwortet zurzeit nicht. Diese Seite kommt von selbst wieder, sobald es antwortet.',
    back: 'Alle Laufwerke',
    unlimited: 'Unbegrenzt',
    none: 'Keine',
  },
  welcome: {
    title: 'Willkommen bei Moorage',
    lead: 'Jeder Objektspeicher als Laufwerk. Einer dieser Anfänge genügt; nichts wird doppelt eingerichtet.',
    demo: 'Ein Demo-Laufwerk hält seine Dateien auf diesem Computer. Es ist nichts auszufüllen.',
    joinTitle: 'Einem Laufwerk beitreten',
    join: 'Ein vorhandenes Laufwerk von Moorage oder JuiceFS, über die Adresse seiner Metadaten-Datenbank.',
    createTitle: 'Ein Laufwerk anlegen',
    create: 'Ein neues Laufwerk, in einem eigenen Ordner oder Bucket.',
    look: 'Sprache und Aussehen',
  },
  volumes: {
    title: 'Laufwerke',
    add: 'Laufwerk hinzufügen',
    demo: 'Demo-Laufwerk ausprobieren',
    open: 'Ordner öffnen',
    details: 'Einzelheiten',
    mount: 'Einhängen',
    unmount: 'Aushängen',
    takeAway: 'Trotz Benutzung aushängen',
    used: 'Belegt',
    waiting: 'Wartet auf das Hochladen',
    cache: 'Zwischenspeicher',
    space: (used, limit) => (limit === null ? bytes(used) : `${bytes(used)} von ${bytes(limit)}`),
    queue: (files, size) =>
      files === 0
        ? 'Nichts'
        : `${count(files)} ${plural(files, { one: 'Datei', other: 'Dateien' })}, ${bytes(size)}`,
    waitsForUploads: (files, size) =>
      `Wartet, bis ${count(files)} ${plural(files, { one: 'Datei', other: 'Dateien' })} ` +
      `(${bytes(size)}) gespeichert ${plural(files, { one: 'ist', other: 'sind' })}.`,
    heldBy: (programs) => `In Benutzung durch ${programs}.`,
    closeThem: 'Bitte schließen; ausgehängt wird, sobald niemand das Laufwerk mehr benutzt.',
    state: {
      unconfigured: 'Unvollständig',
      stopped: 'Angehalten',
      connecting: 'Verbindet',
      mounted: 'Eingehängt',
      degraded: 'Eingeschränkt',
      unmounting: 'Wird ausgehängt',
      error: 'Fehler',
    },
  },
  add: {
    title: 'Laufwerk hinzufügen',
    way: 'Art des Laufwerks',
    join: 'Einem vorhandenen beitreten',
    create: 'Ein neues anlegen',
    name: 'Bezeichnung',
    nameHint: 'Wie es hier heißen soll.',
    url: 'Adresse der Metadaten',
    urlHint: 'Etwa redis://server:6379/1 oder sqlite3:///home/ich/laufwerk.db',
    urlPassword: 'Das Passwort in der Adresse wurde herausgenommen; es steht darunter.',
    urlProblem: 'Eine Adresse beginnt mit ihrer Datenbank, etwa redis:// oder sqlite3://',
    folder: 'Ordner',
    folderHint: 'Wo die Dateien erscheinen; er wird angelegt, wenn es ihn nicht gibt.',
    folderProblem: 'Bitte den ganzen Pfad eines Ordners angeben.',
    nameProblem: 'Bitte eine Bezeichnung angeben.',
    bucketProblem: 'Bitte Ordner oder Bucket angeben.',
    password: 'Passwort der Datenbank',
    passphrase: 'Passphrase eines verschlüsselten Laufwerks',
    file: 'Aus einer Laufwerksdatei ausfüllen',
    fileHint:
      'Eine, die Moorage auf einem anderen Computer geschrieben hat. Sie enthält kein Passwort.',
    fileRead:
      'Die Datei ist gelesen. Bitte ansehen, was sie ausgefüllt hat, und angeben, was fehlt.',
    secretProblem: 'Das Laufwerk braucht es.',
    secretHint: 'Geht an den Agenten und kommt nie in dieses Fenster zurück.',
    store: 'Wohin die Daten kommen',
    storage: 'Art des Speichers',
    storages: { file: 'Ein Ordner', s3: 'S3 oder kompatibel', other: 'Ein anderer' },
    otherStorage: 'Name der Art',
    otherHint: 'Wie moorage format --storage ihn annimmt.',
    bucket: 'Ordner oder Bucket',
    bucketHint: 'Etwa /home/ich/objekte oder https://bucket.s3.eu-west-1.amazonaws.com',
    accessKey: 'Zugangsschlüssel',
    secretKey: 'Geheimer Schlüssel',
    token: 'Sitzungs-Token',
    compression: 'Kompression',
    compressions: { none: 'Ohne', lz4: 'LZ4 (schnell)', zstd: 'Zstandard (klein)' },
    trash: 'Tage, die Gelöschtes aufbewahrt wird',
    trashProblem: 'Bitte eine ganze Zahl von Tagen angeben, oder nichts.',
    mounting: 'Wie es eingehängt wird',
    atStart: 'Einhängen, wenn Moorage startet',
    readOnly: 'Nur lesen',
    writeBack: 'Geschriebenes zuerst auf dieser Festplatte halten und später hochladen',
    index: 'Die Metadaten-Datenbank ist das einzige Verzeichnis der Dateien: bitte sichern.',
    test: 'Verbindung prüfen',
    testing: 'Ergebnis der Prüfung',
    joinNow: 'Hinzufügen und einhängen',
    createNow: 'Anlegen und einhängen',
    outcome: {
      passed: 'In Ordnung',
      warned: 'Warnung',
      failed: 'Fehlgeschlagen',
      skipped: 'Nicht geprüft',
    },
    step: {
      dns: 'Name des Servers',
      tcp: 'Verbindung',
      tls: 'Verschlüsselung der Verbindung',
      authentication: 'Zugangsdaten',
      put: 'Ein Objekt schreiben',
      get: 'Es lesen',
      list: 'Auflisten',
      delete: 'Es löschen',
      clock_skew: 'Uhr',
      latency: 'Antwortzeit',
      metadata_ping: 'Metadaten-Datenbank',
      prefix_empty: 'Der Ort ist leer',
      driver: 'Treiber zum Einbinden',
      folders: 'Ordner von Moorage',
      disk_space: 'Platz auf ihren Datenträgern',
      agent: 'Agent im Hintergrund',
      secret_store: 'Speicher der Passwörter',
      trial_volume: 'Ein Laufwerk zur Probe anlegen',
      trial_mount: 'Es einbinden, schreiben und lesen',
      trial_check: 'Es aushängen und prüfen',
    },
  },
  volume: {
    tabs: 'Teile des Laufwerks',
    tab: {
      overview: 'Überblick',
      trash: 'Papierkorb',
      sessions: 'Benutzt von',
      files: 'Dateien',
      health: 'Zustand',
      options: 'Optionen',
    },
    gone: 'Dieses Laufwerk gibt es nicht',
    goneHint: 'Vielleicht wurde es aus der Liste entfernt.',
    overview: 'Überblick',
    files: 'Dateien und Ordner',
    operations: 'Beantwortete Anfragen',
    uploaded: 'Hochgeladen',
    downloaded: 'Heruntergeladen',
    oldest: 'Ältestes wartet seit',
    errors: 'Fehler seit dem Einhängen',
    readers: 'Programme, die am meisten lesen',
    noFigures: 'Zurzeit sind keine Zahlen bekannt.',
    settings: 'Auf diesem Computer',
    address: 'Adresse der Metadaten',
    save: 'Speichern',
    saved: 'Gespeichert. Es gilt ab dem nächsten Einhängen.',
    secrets: 'Passwort',
    secretsHint: 'Was hier angegeben wird, ersetzt das bisher Bekannte.',
    giveSecrets: 'An den Agenten geben',
    given: 'Angenommen. Das Laufwerk bitte erneut einhängen.',
    remove: 'Aus der Liste entfernen',
    exportTitle: 'Für einen anderen Computer',
    exportHint:
      'Schreibt eine Datei, mit der ein anderer Computer diesem Laufwerk beitritt: Name, Adresse und wie es eingehängt wird. Passwörter und Schlüssel stehen nicht darin; sie gehen einen anderen Weg.',
    exportLocal:
      'Die Datenbank ist eine Datei auf diesem Computer: Das Laufwerk ist nur dort zu finden, wo dieser Pfad zur selben Datei führt.',
    export: 'Als Laufwerksdatei speichern',
    exported: 'Geschrieben.',
    limitHint: 'Megabyte je Sekunde; leer heißt unbegrenzt.',
    removeTitle: 'Entfernen',
    removeHint:
      'Dateien, Datenbank und Objekte bleiben erhalten. Es muss vorher ausgehängt werden.',
    removeConfirm: (name) => `Ja, „${name}“ aus der Liste entfernen`,
    keep: 'Behalten',
  },
  activity: {
    title: 'Aktivität',
    pause: 'Anhalten',
    quarter: 'Für 15 Minuten',
    hour: 'Für 1 Stunde',
    until: 'Bis es weitergehen soll',
    resume: 'Weitermachen',
    running: 'Es wird hoch- und heruntergeladen.',
    paused: 'Angehalten sind das Hochladen und Downloads, auf die niemand wartet.',
    held: {
      metered:
        'Angehalten sind das Hochladen und Downloads, auf die niemand wartet: Die Verbindung ist getaktet.',
      battery:
        'Angehalten sind das Hochladen und Downloads, auf die niemand wartet: Dieser Computer läuft im Akkubetrieb.',
    },
    rules: 'Die Regel ändern',
    pausedUntil: (time) => `Angehalten bis ${when(time)}.`,
    byVolume: 'Wartet auf das Hochladen',
    nothing: 'Nichts wartet.',
    oldest: (time) => `ältestes von ${when(time)}`,
    transfers: 'Übertragungen',
    notOffered:
      'Einzelne Dateien auf dem Weg werden noch nicht gezeigt; die Zahlen oben sind vollständig.',
    now: 'Jetzt',
    waiting: 'Wartend',
    failed: 'Fehlgeschlagen',
    history: 'Angekommen',
    none: 'Keine',
    upload: 'Hochladen',
    download: 'Herunterladen',
    unnamed: 'Eine Datei',
    progress: (done, total) => `${bytes(done)} von ${bytes(total)}`,
    rate: (perSecond, seconds) =>
      seconds === null ? rate(perSecond) : `${rate(perSecond)}, noch ${count(seconds)} s`,
    arrived: (time) => when(time),
    since: (time) => `seit ${when(time)}`,
    retry: 'Erneut versuchen',
    cancel: 'Aufgeben',
  },
  files: filesDe,
  sync: syncDe,
  trash: trashDe,
  sessions: sessionsDe,
  health: healthDe,
  job: jobDe,
  options: optionsDe,
  licences: licencesDe,
  settings: {
    title: 'Einstellungen',
    general: 'Allgemein',
    language: 'Sprache',
    system: 'Wie das System',
    theme: 'Aussehen',
    themes: { system: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
    security: 'Passwörter',
    store: {
      keyring: 'Schlüsselbund des Systems',
      encrypted_file: 'Verschlüsselte Datei mit Passphrase',
      key_file: 'Verschlüsselte Datei mit dem Schlüssel daneben',
    },
    storeLabel: 'Verwahrt in',
    unlock: 'Entsperren',
    passphrase: 'Passphrase der Datei',
    access: {
      open: 'Er kann gelesen und beschrieben werden.',
      locked: 'Er ist gesperrt. Bitte entsperren; Moorage versucht es von selbst wieder.',
      missing:
        'Er antwortet nicht. Passwörter bleiben im Arbeitsspeicher und werden nach einem Neustart des Agenten wieder erfragt.',
    },
    login: 'Bei der Anmeldung starten',
    notifications: 'Benachrichtigungen',
    notificationsHint:
      'Worüber man Bescheid wissen muss, während dieses Fenster zu ist: ein Laufwerk mit einem Fehler, Dateien, die den Speicher nicht erreichen, ein gesperrter Schlüsselbund, eine Frage.',
    onMetered: 'Übertragungen anhalten, solange die Verbindung getaktet ist',
    metered: (known) =>
      known === null
        ? 'Ob sie getaktet ist, ist auf diesem Computer nicht bekannt; dann wird nichts angehalten.'
        : known
          ? 'Sie ist jetzt getaktet.'
          : 'Sie ist jetzt nicht getaktet.',
    onBattery: 'Übertragungen im Akkubetrieb anhalten',
    battery: (known) =>
      known === null
        ? 'Ob dieser Computer im Akkubetrieb läuft, ist nicht bekannt; dann wird nichts angehalten.'
        : known
          ? 'Er läuft jetzt im Akkubetrieb.'
          : 'Er läuft jetzt nicht im Akkubetrieb.',
    upload: 'Grenze für das Hochladen',
    download: 'Grenze für das Herunterladen',
    limitHint: 'Megabyte je Sekunde für alle Laufwerke; leer heißt unbegrenzt.',
    limitProblem: 'Bitte eine Zahl über 0 angeben, oder nichts.',
    save: 'Speichern',
    network: 'Netz und Start',
  },
  diagnostics: {
    title: 'Diagnose',
    agent: 'Agent im Hintergrund',
    version: 'Fassung',
    process: 'Prozess',
    notices: 'Hinweise',
    noNotices: 'Es gibt nichts zu wissen.',
    counters: 'Zähler',
    volume: 'Laufwerk',
    requests: 'Anfragen',
    errors: 'Fehler',
    test: 'Selbsttest',
    testHint:
      'Versucht, was Moorage von diesem Computer braucht, und bindet ein kleines, eigens angelegtes Laufwerk ein. Ihre Laufwerke bleiben unberührt.',
    runTest: 'Selbsttest starten',
    tested: 'Der Selbsttest ist zu Ende.',
    log: 'Protokoll',
    logOf: 'Protokoll von',
    search: 'Suchen',
    showLog: 'Protokoll zeigen',
    noLog: 'Es steht nichts darin.',
    logLines: (shown: number, read: number, earlier: boolean) =>
      `${shown} von ${earlier ? `den letzten ${read}` : read} Zeilen`,
    report: 'Bericht',
    reportHint:
      'Kopiert oder gespeichert wird, was zu sehen ist. Passwörter sind nie dabei; Adressen von Servern und Pfade werden weggelassen.',
    show: 'Bericht zeigen',
    copy: 'Kopieren',
    copied: 'Kopiert.',
    saveReport: 'Als Datei speichern',
    savedReport: 'Geschrieben.',
    about: 'Über Moorage',
    aboutText:
      'Moorage: jeder Objektspeicher als Laufwerk. Lizenz: Apache-2.0; der Programme für Windows: GPL-3.0.',
    aboutWinFsp:
      'Unter Windows erscheinen Laufwerke durch WinFsp - Windows File System Proxy, Copyright (C) Bill Zissimopoulos:',
  },
};
