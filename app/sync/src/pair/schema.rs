//! The tables of a pair's database.

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use moorage_model::{Error, ErrorKind, Result};

/// Version of the tables below, in `user_version`.
const VERSION: i64 = 1;

/// `synced`: per path (with `/` at the end for a folder, so that rows sort as listings do) the state in which both sides
/// had the same content: its digest, and what each side said about it. `conflicts`: versions that got another name, on which
/// side. Times are nanoseconds since 1970.
const TABLES: &str = "
    CREATE TABLE pair (one INTEGER PRIMARY KEY CHECK (one = 1), left_side TEXT NOT NULL, right_side TEXT NOT NULL);
    CREATE TABLE synced (
        key BLOB PRIMARY KEY,
        digest BLOB,
        seen INTEGER NOT NULL,
        left_size INTEGER NOT NULL, left_modified INTEGER NOT NULL, left_changed INTEGER, left_node INTEGER,
        left_settled INTEGER NOT NULL,
        right_size INTEGER NOT NULL, right_modified INTEGER NOT NULL, right_changed INTEGER, right_node INTEGER,
        right_settled INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE conflicts (
        copy BLOB NOT NULL, on_left INTEGER NOT NULL, path BLOB NOT NULL, noted INTEGER NOT NULL,
        PRIMARY KEY (copy, on_left)
    ) WITHOUT ROWID;
";

/// What a round has to do; on disk, since there may be as much as files.
const WORK: &str = "
    CREATE TEMP TABLE work (key BLOB PRIMARY KEY, phase INTEGER NOT NULL, removes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX temp.work_phase ON work (phase, key);
";

/// Only this process may use the database, and a commit waits for no disk: a row that a power cut takes is found anew.
const SETTINGS: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
";

/// Makes the tables, or checks that they are those of this pair.
///
/// # Errors
/// `Busy` when another process has it open; `VersionMismatch` when a newer release made it; `InvalidArgument` when it
/// is another pair's.
pub(super) fn prepare(db: &mut Connection, left: &str, right: &str) -> Result<()> {
    db.execute_batch(SETTINGS).map_err(failed)?;
    let change = db.transaction().map_err(failed)?;
    let version: i64 = change
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    match version {
        0 => {
            change.execute_batch(TABLES).map_err(failed)?;
            change
                .execute("INSERT INTO pair VALUES (1, ?1, ?2)", (left, right))
                .map_err(failed)?;
            change
                .pragma_update(None, "user_version", VERSION)
                .map_err(failed)?;
        }
        VERSION => check_pair(&change, left, right)?,
        other => {
            return Err(Error::new(
                ErrorKind::VersionMismatch,
                format!("the state of this pair has form {other}, and this release knows form {VERSION}"),
            )
            .with_advice("Update Moorage."));
        }
    }
    change.commit().map_err(failed)?;
    db.execute_batch(WORK).map_err(failed)
}

/// The state of other folders would make every file look removed.
fn check_pair(db: &Connection, left: &str, right: &str) -> Result<()> {
    let found: Option<(String, String)> = db
        .query_row("SELECT left_side, right_side FROM pair", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(failed)?;
    if found
        .as_ref()
        .is_some_and(|found| (found.0.as_str(), found.1.as_str()) == (left, right))
    {
        return Ok(());
    }
    let other = found.map_or_else(String::new, |(left, right)| format!(" ({left} and {right})"));
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("the state is that of another pair{other}"),
    )
    .with_advice("Give each pair a state of its own. A new one is safe: both sides are compared then."))
}

/// A failure of the database.
pub(super) fn failed(error: rusqlite::Error) -> Error {
    let (kind, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Busy,
            "Another process keeps this pair in sync; end it first.",
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            ErrorKind::Corrupt,
            "Remove the state of the pair: both sides are compared anew then, and nothing is lost.",
        ),
        Some(ErrorCode::DiskFull) => (ErrorKind::NoSpace, "Make room on the disk of the state."),
        Some(ErrorCode::ReadOnly) => (ErrorKind::ReadOnly, "Put the state where it can be written."),
        Some(ErrorCode::CannotOpen) => (
            ErrorKind::NotFound,
            "Check that its folder exists and can be written.",
        ),
        _ => (ErrorKind::Io, "Check the disk of the state."),
    };
    Error::new(kind, "the state of the pair")
        .with_source(error)
        .with_advice(advice)
}
