import type { ProblemCode } from '../bindings/ProblemCode';
import type { ReasonCode } from '../bindings/ReasonCode';
import type { Known } from './en';

/** German, of every kind of failure and every reason why a volume is not simply well. */
const problems: Record<ProblemCode | ReasonCode, Known> = {
  version_mismatch: {
    title: 'Teile von Moorage passen nicht zusammen',
    advice: 'Moorage aktualisieren und neu starten; das Genauere nennt die ältere Seite.',
  },
  invalid_request: {
    title: 'Eine Angabe ist nicht gültig',
    advice: 'Die Angaben prüfen; das Genauere nennt, welche es ist.',
  },
  not_found: {
    title: 'Etwas, das gebraucht wird, ist nicht da',
    advice: 'Namen und Adresse prüfen; es kann verschoben oder entfernt worden sein.',
  },
  already_exists: {
    title: 'Das gibt es schon',
    advice: 'Einen anderen Namen oder Ort wählen oder benutzen, was da ist.',
  },
  wrong_state: {
    title: 'Das geht im jetzigen Zustand nicht',
    advice: 'Den Zustand ansehen; ist etwas anderes im Gang, es danach noch einmal versuchen.',
  },
  mount_point_busy: {
    title: 'Der Ordner zum Einhängen ist in Benutzung',
    advice:
      'Programme schließen, die ihn benutzen, oder einen leeren Ordner wählen, dann noch einmal versuchen.',
  },
  driver_missing: {
    title: 'Der Treiber zum Einhängen fehlt oder ist zu alt',
    advice: 'Ihn einrichten (unter Linux das Paket fuse3), dann noch einmal versuchen.',
  },
  keyring_locked: {
    title: 'Der Schlüsselbund ist gesperrt',
    advice: 'Ihn in den Einstellungen entsperren, dann noch einmal versuchen.',
  },
  keyring_missing: {
    title: 'In dieser Sitzung gibt es keinen Schlüsselbund',
    advice:
      'Einen starten oder mit „moorage agent secrets“ einen anderen Ort für Passwörter wählen.',
  },
  secret_missing: {
    title: 'Ein Passwort oder Schlüssel fehlt',
    advice: 'Es in den Optionen des Laufwerks eingeben.',
  },
  authentication: {
    title: 'Der Server lehnt die Zugangsdaten ab',
    advice: 'Benutzer, Passwort und Schlüssel prüfen und neu eingeben.',
  },
  unreachable: {
    title: 'Ein Server antwortet nicht',
    advice: 'Netzwerk und Adresse prüfen, dann noch einmal versuchen.',
  },
  timed_out: {
    title: 'Es hat zu lange gedauert',
    advice: 'Netzwerk und Server prüfen und den Zustand ansehen: Es kann dennoch geschehen sein.',
  },
  disk_full: {
    title: 'Auf diesem Computer ist kein Platz mehr',
    advice: 'Platz schaffen, dann noch einmal versuchen.',
  },
  quota_exceeded: {
    title: 'Ein Kontingent ist aufgebraucht',
    advice: 'Etwas löschen oder die Grenze anheben.',
  },
  mount_crashed: {
    title: 'Der Prozess eines Laufwerks ist unerwartet zu Ende gegangen',
    advice:
      'Er wird von selbst wieder gestartet. Geschieht es noch einmal, das Protokoll unter „Diagnose“ ansehen.',
  },
  not_supported: {
    title: 'Noch nicht möglich',
    advice: 'Nichts wurde geändert. Eine neuere Fassung kann es vielleicht.',
  },
  permission_denied: {
    title: 'Das System oder der Server erlaubt es nicht',
    advice: 'Die Rechte an dem prüfen, was das Genauere nennt.',
  },
  agent_stopped: {
    title: 'Moorage wurde beendet',
    advice: 'Es wieder starten; eingehängte Laufwerke sind eingehängt geblieben.',
  },
  internal: {
    title: 'Etwas Unerwartetes ist geschehen',
    advice: 'Es noch einmal versuchen. Bleibt es dabei, hilft der Bericht unter „Diagnose“.',
  },
  quota_nearing: {
    title: 'Ein Kontingent ist fast aufgebraucht',
    advice: 'Bald etwas löschen oder die Grenze anheben.',
  },
  incomplete: {
    title: 'Eine Angabe oder ein Passwort fehlt',
    advice: 'Es in den Optionen des Laufwerks eingeben.',
  },
  paused_metered: {
    title: 'Angehalten, solange die Verbindung getaktet ist',
    advice: 'Es geht in einem anderen Netzwerk von selbst weiter.',
  },
  paused_disk_full: {
    title: 'Angehalten, weil auf diesem Computer kein Platz mehr ist',
    advice: 'Platz schaffen; dann geht es von selbst weiter.',
  },
  paused_client_policy: {
    title: 'Angehalten durch eine Regel dieses Computers',
    advice: 'Es geht von selbst weiter, sobald die Regel es erlaubt.',
  },
  paused_service_policy: {
    title: 'Angehalten durch eine Regel des Dienstes',
    advice: 'Es geht von selbst weiter, sobald die Regel es erlaubt.',
  },
  paused_by_user: {
    title: 'Angehalten',
    advice: 'Es unter „Aktivität“ weitergehen lassen.',
  },
  store_unavailable: {
    title: 'Der Objektspeicher antwortet nicht',
    advice: 'Netzwerk und Speicher prüfen; es wird von selbst wieder versucht.',
  },
  metadata_unavailable: {
    title: 'Die Metadatenbank antwortet nicht',
    advice: 'Netzwerk und Datenbank prüfen; es wird von selbst wieder versucht.',
  },
  uploads_late: {
    title: 'Dateien warten länger auf das Hochladen, als sie sollten',
    advice: 'Unter „Aktivität“ steht, worauf sie warten.',
  },
  crashed: {
    title: 'Der Prozess dieses Laufwerks ist unerwartet zu Ende gegangen und läuft wieder',
    advice: 'Geschieht es noch einmal, das Protokoll unter „Diagnose“ ansehen.',
  },
  not_answering: {
    title: 'Wie es dem Laufwerk geht, ist nicht zu erfahren',
    advice: 'Bleibt es dabei, es aushängen und wieder einhängen.',
  },
  other: {
    title: 'Etwas ist nicht, wie es sein sollte',
    advice: 'Das Genauere nennt, was es ist.',
  },
};

/** What is known of a kind of failure; a kind that came later is unexpected. */
export function known(code: string): Known {
  return Object.hasOwn(problems, code)
    ? problems[code as keyof typeof problems]
    : problems.internal;
}
