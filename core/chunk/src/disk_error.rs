//! Failures of the local disk as typed errors.

use std::fmt::Display;
use std::io;

use moorage_model::{Error, ErrorKind};

/// `what` says what was being done, `place` to which file.
pub(crate) fn disk_error(what: &str, place: impl Display, error: io::Error) -> Error {
    let (kind, advice) = match error.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, None),
        io::ErrorKind::PermissionDenied => (
            ErrorKind::AccessDenied,
            Some("Check who owns the folder and its permissions"),
        ),
        io::ErrorKind::StorageFull => (ErrorKind::NoSpace, Some("Free space on the disk that holds it")),
        io::ErrorKind::QuotaExceeded => (
            ErrorKind::QuotaExceeded,
            Some("Free space or raise the quota on the disk that holds it"),
        ),
        io::ErrorKind::ReadOnlyFilesystem => (
            ErrorKind::ReadOnly,
            Some("Mount the disk that holds it for writing, or choose another folder"),
        ),
        io::ErrorKind::TimedOut => (ErrorKind::Timeout, None),
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => (
            ErrorKind::Io,
            Some("Something else has taken the place of a folder or object there"),
        ),
        io::ErrorKind::UnexpectedEof => (ErrorKind::Corrupt, None),
        _ => (ErrorKind::Io, None),
    };
    let error = Error::new(kind, format!("{what} {place}")).with_source(error);
    match advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}
