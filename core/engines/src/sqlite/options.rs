//! What a `sqlite3://` URL says, and connections made by it.

use std::path::PathBuf;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};

use super::failure::Context as _;

/// Longest wait for another program's lock inside one statement, in milliseconds; the writer retries beyond it.
const BUSY_TIMEOUT_MS: u64 = 2_000;
/// Page cache of one connection in KiB: the hot part of a large directory tree.
const CACHE_KIB: u32 = 8 * 1024;
/// Prepared statements kept per connection: all that the verbs use.
const STATEMENT_CACHE: usize = 128;

/// A parsed URL.
#[derive(Debug)]
pub(super) struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) prefix: String,
}

impl SqliteOptions {
    /// Parses what follows `sqlite3://`: a path and options. `table_prefix` is ours; options of other drivers
    /// (cache, journal mode, time-outs) are accepted and ignored, since this engine sets its own.
    pub(super) fn parse(rest: &str) -> Result<SqliteOptions> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() {
            return Err(
                Error::new(ErrorKind::InvalidArgument, "sqlite3:// without a path")
                    .with_advice("Write sqlite3://FILE, for example sqlite3:///home/me/volume.db."),
            );
        }
        let mut prefix = "jfs_".to_owned();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if name == "table_prefix" && !value.is_empty() {
                if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return Err(Error::new(
                        ErrorKind::InvalidArgument,
                        format!("table_prefix {value} holds more than letters, digits and _"),
                    ));
                }
                prefix = format!("jfs_{value}_");
            }
        }
        let path = std::path::absolute(path).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("path {path}")).with_source(error)
        })?;
        Ok(SqliteOptions { path, prefix })
    }

    /// A connection with this engine's settings. The checkpoint is ours to take (DESIGN, "Durability").
    pub(super) fn connect(&self) -> Result<Connection> {
        let what = || "opening it".to_owned();
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let create = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, create)
            .or_else(|error| {
                if self.path.exists() {
                    Connection::open_with_flags(&self.path, read_only)
                } else {
                    Err(error)
                }
            })
            .context(what)?;
        connection
            .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
            .context(what)?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        let writable = !connection.is_readonly("main").context(what)?;
        if writable {
            connection
                .pragma_update(None, "journal_mode", "WAL")
                .context(what)?;
        }
        connection
            .execute_batch(&format!(
                "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{CACHE_KIB}; \
                 PRAGMA temp_store = MEMORY;"
            ))
            .context(what)?;
        // The first read tells whether this is a database at all.
        connection
            .query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))
            .context(what)?;
        Ok(connection)
    }
}
