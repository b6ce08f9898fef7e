//! SQLite's failures as errors that say what was being done and what to do.

use std::path::Path;

use moorage_meta::{DamagedRecord, Survey};
use moorage_model::{Error, ErrorKind, Result};
use rusqlite::ErrorCode;

/// Turns a result of SQLite into ours.
pub(super) trait Context<T> {
    /// Adds what was being done.
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for rusqlite::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| convert(error, what()))
    }
}

/// Names the file.
pub(super) fn in_file(path: &Path) -> impl Fn(Error) -> Error {
    move |error| error.context(format!("SQLite database {}", path.display()))
}

/// Names the file in what a survey found damaged.
pub(super) fn named_in(mut page: Survey, path: &Path) -> Survey {
    let name = in_file(path);
    page.damaged = page
        .damaged
        .into_iter()
        .map(|found| DamagedRecord {
            key: found.key,
            error: name(found.error),
        })
        .collect();
    page
}

/// Whether a statement names a table that the file does not have.
pub(super) fn is_missing_table(error: &rusqlite::Error) -> bool {
    // SQLite has no code of its own for it.
    error.sqlite_error_code() == Some(ErrorCode::Unknown) && error.to_string().contains("no such table")
}

fn convert(error: rusqlite::Error, what: String) -> Error {
    let Some(code) = error.sqlite_error_code() else {
        return Error::new(ErrorKind::Corrupt, what).with_source(error);
    };
    let (kind, advice) = match code {
        _ if is_missing_table(&error) => (
            ErrorKind::DatabaseMissing,
            Some("The tables of the volume are gone: somebody dropped or renamed them."),
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Busy,
            Some("Another program holds the database locked; close it or wait."),
        ),
        ErrorCode::ConstraintViolation => (ErrorKind::Conflict, None),
        ErrorCode::DiskFull => (
            ErrorKind::NoSpace,
            Some("Free some space on the disk that holds the database."),
        ),
        ErrorCode::ReadOnly => (
            ErrorKind::ReadOnly,
            Some("Make the database file and its folder writable, or mount with --read-only."),
        ),
        ErrorCode::NotADatabase => (
            ErrorKind::NotFormatted,
            Some("The file is no SQLite database; check the path in the metadata URL."),
        ),
        ErrorCode::DatabaseCorrupt => (
            ErrorKind::Corrupt,
            Some("Restore the database from a backup, or recover it with .recover of the sqlite3 shell."),
        ),
        ErrorCode::CannotOpen => (
            ErrorKind::DatabaseMissing,
            Some("Check that the folder of the database exists and that you may write to it."),
        ),
        ErrorCode::PermissionDenied => (
            ErrorKind::AccessDenied,
            Some("Check the permissions of the database file."),
        ),
        ErrorCode::OutOfMemory => (ErrorKind::Unavailable, None),
        _ => (ErrorKind::Io, None),
    };
    let converted = Error::new(kind, what).with_source(error);
    match advice {
        Some(advice) => converted.with_advice(advice),
        None => converted,
    }
}
