//! German, of every kind of failure; the window says more of each.

use moorage_control::problem::ProblemCode;
use moorage_control::state::ReasonCode;

/// What failed.
pub(super) fn problem(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::VersionMismatch => "Teile von Moorage passen nicht zusammen",
        ProblemCode::InvalidRequest => "Eine Angabe ist nicht gültig",
        ProblemCode::NotFound => "Etwas, das gebraucht wird, ist nicht da",
        ProblemCode::AlreadyExists => "Das gibt es schon",
        ProblemCode::WrongState => "Das geht im jetzigen Zustand nicht",
        ProblemCode::MountPointBusy => "Der Ordner zum Einhängen ist in Benutzung",
        ProblemCode::DriverMissing => "Der Treiber zum Einhängen fehlt oder ist zu alt",
        ProblemCode::KeyringLocked => "Der Schlüsselbund ist gesperrt",
        ProblemCode::KeyringMissing => "In dieser Sitzung gibt es keinen Schlüsselbund",
        ProblemCode::SecretMissing => "Ein Passwort oder Schlüssel fehlt",
        ProblemCode::Authentication => "Der Server lehnt die Zugangsdaten ab",
        ProblemCode::Unreachable => "Ein Server antwortet nicht",
        ProblemCode::TimedOut => "Es hat zu lange gedauert",
        ProblemCode::DiskFull => "Auf diesem Computer ist kein Platz mehr",
        ProblemCode::QuotaExceeded => "Ein Kontingent ist aufgebraucht",
        ProblemCode::MountCrashed => "Der Prozess eines Laufwerks ist unerwartet zu Ende gegangen",
        ProblemCode::NotSupported => "Noch nicht möglich",
        ProblemCode::PermissionDenied => "Das System oder der Server erlaubt es nicht",
        ProblemCode::AgentStopped => "Moorage wurde beendet",
        ProblemCode::Internal => "Etwas Unerwartetes ist geschehen",
    }
}

/// Why a volume is not simply well.
pub(super) fn reason(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::QuotaNearing => "Ein Kontingent ist fast aufgebraucht",
        ReasonCode::QuotaExceeded => "Ein Kontingent ist aufgebraucht",
        ReasonCode::Authentication => "Der Server lehnt die Zugangsdaten ab",
        ReasonCode::KeyringLocked => "Der Schlüsselbund ist gesperrt",
        ReasonCode::Incomplete => "Eine Angabe oder ein Passwort fehlt",
        ReasonCode::PausedMetered => "Angehalten, solange die Verbindung getaktet ist",
        ReasonCode::PausedDiskFull => "Angehalten, weil auf diesem Computer kein Platz mehr ist",
        ReasonCode::PausedClientPolicy => "Angehalten durch eine Regel dieses Computers",
        ReasonCode::PausedServicePolicy => "Angehalten durch eine Regel des Dienstes",
        ReasonCode::PausedByUser => "Angehalten",
        ReasonCode::StoreUnavailable => "Der Objektspeicher antwortet nicht",
        ReasonCode::MetadataUnavailable => "Die Metadatenbank antwortet nicht",
        ReasonCode::UploadsLate => "Dateien warten länger auf das Hochladen, als sie sollten",
        ReasonCode::Crashed => {
            "Der Prozess dieses Laufwerks ist unerwartet zu Ende gegangen und läuft wieder"
        }
        ReasonCode::NotAnswering => "Wie es dem Laufwerk geht, ist nicht zu erfahren",
        ReasonCode::Other => "Etwas ist nicht, wie es sein sollte",
    }
}
