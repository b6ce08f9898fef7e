//! German.

use super::{BeforeQuit, Notifications, Numbers, States, Words, german_problems};

pub(super) static WORDS: Words = Words {
    numbers: Numbers {
        point: ',',
        group: '.',
        byte: "Byte",
        bytes: "Byte",
    },
    not_connected: "Nicht verbunden: Was gespeichert ist, ist zurzeit nicht bekannt",
    stopped: "Beendet: Was gespeichert ist, ist zurzeit nicht bekannt",
    start: "Moorage wieder starten",
    stored: "Alle Dateien sind sicher gespeichert",
    only_here: |numbers, files, bytes| {
        let (noun, verb) = if files == 1 {
            ("Datei", "liegt")
        } else {
            ("Dateien", "liegen")
        };
        let (files, bytes) = (numbers.count(files), numbers.bytes(bytes));
        format!("{files} {noun} ({bytes}) {verb} nur auf diesem Computer")
    },
    lost: |message| format!("Daten sind verloren: {message}"),
    unknown: |message| format!("Was gespeichert ist, war nicht zu lesen: {message}"),
    problem: |problem| german_problems::problem(problem.code).to_owned(),
    reason: |reason| german_problems::reason(reason.code).to_owned(),
    not_done: |message| format!("Nicht ausgeführt: {message}"),
    no_volumes: "Noch keine Laufwerke",
    more_volumes: |count| format!("{count} weitere Laufwerke …"),
    volume: |name, state| format!("{name}: {state}"),
    states: States {
        unconfigured: "unvollständig",
        stopped: "angehalten",
        connecting: "verbindet",
        mounted: "eingehängt",
        degraded: "eingeschränkt",
        unmounting: "wird ausgehängt",
        error: "Fehler",
    },
    open_folder: "Öffnen",
    mount: "Einhängen",
    unmount: "Aushängen",
    details: "Einzelheiten",
    pause: "Anhalten",
    paused: "Angehalten",
    held_metered: "Angehalten: getaktete Verbindung",
    held_battery: "Angehalten: Akkubetrieb",
    pause_not_offered: "Anhalten: noch nicht möglich",
    quarter_hour: "Für 15 Minuten",
    hour: "Für 1 Stunde",
    until_resumed: "Bis es weitergehen soll",
    resume: "Weitermachen",
    transfers: "Letzte Übertragungen",
    transfers_not_offered: "Letzte Übertragungen: noch nicht möglich",
    no_transfers: "Keine Übertragungen in letzter Zeit",
    unnamed_file: "eine Datei",
    failed: |path| format!("{path}: fehlgeschlagen"),
    window: "Moorage öffnen",
    settings: "Einstellungen",
    diagnostics: "Diagnose",
    quit: "Beenden (Laufwerke bleiben eingehängt)",
    notifications: Notifications {
        failed: |names, count| match count {
            1 => format!("„{names}“ ist nicht eingehängt"),
            count => format!("{count} Laufwerke sind nicht eingehängt"),
        },
        incomplete: |names, count| match count {
            1 => format!("„{names}“ braucht ein Passwort oder eine Angabe"),
            count => format!("{count} Laufwerke brauchen Passwörter oder Angaben"),
        },
        locked: "Der Schlüsselbund ist gesperrt: zum Einhängen bitte entsperren",
        unreachable: |names, count| match count {
            1 => format!("Dateien von „{names}“ erreichen den Speicher nicht"),
            count => format!("Dateien von {count} Laufwerken erreichen den Speicher nicht"),
        },
        kept: "Bis dahin bleiben sie auf diesem Computer.",
        asks: |count| match count {
            1 => "Ein Ordnerpaar würde viele Dateien entfernen und fragt vorher".to_owned(),
            count => format!("{count} Ordnerpaare würden viele Dateien entfernen und fragen vorher"),
        },
        arrived: "Was den Speicher vorher nicht erreicht hat, ist jetzt dort.",
        and_more: |names, more| format!("{names} und {more} weitere"),
        // The agent's is in English; the window says it in German.
        advice: |_| String::new(),
        open: "Moorage öffnen",
    },
    before_quit: BeforeQuit {
        uploads_go_on: "Das Hochladen geht auch so weiter, solange dieser Computer an ist; aber nichts sagt dann, wann alles \
                        gespeichert ist oder dass es nicht geht.",
        uploads_are_held: "Das Hochladen ist angehalten und geht erst weiter, wenn es weitergehen soll.",
        quit: "Trotzdem beenden",
        stay: "Nicht beenden",
    },
    save: "Speichern",
    cancel: "Abbrechen",
    save_volume_file: "Laufwerk als Datei speichern",
    save_report: "Bericht speichern",
};
