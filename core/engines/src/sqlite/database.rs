//! A connection with this engine's settings.

use std::ffi::CStr;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::Context as _;
use super::log_file;
use super::options::SqliteOptions;
use super::schema;
use super::statements::Statements;
use super::view::View;

/// Longest wait of one statement for another program's lock; the writer retries beyond it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the moment in which the journal mode can be changed.
const JOURNAL_DEADLINE: Duration = Duration::from_secs(30);
/// Pause between two tries to change the journal mode, which SQLite does not wait for itself.
const JOURNAL_PAUSE: Duration = Duration::from_millis(20);
/// Page cache of one connection, KiB: the hot part of a large directory tree.
const CACHE_KIB: u32 = 8 * 1024;
/// Page of a database that is made here. A change writes half a dozen pages to the log whole, so small ones make changes
/// quicker and wear the disk less; with still smaller ones names of 255 bytes no longer fit into the pages of an index.
const PAGE_BYTES: u32 = 1024;
/// Prepared statements kept per connection: all that the verbs use.
const STATEMENT_CACHE: usize = 128;
/// Length in bytes to which the log is cut when it starts over; the file up to there is written over, which
/// makes its syncs cheaper than growing it again.
pub(super) const LOG_BYTES: u64 = 32 << 20;

/// A connection and the text of its statements.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) sql: Statements,
    /// Whether commits go to a write-ahead log, which waits for a barrier.
    pub(super) logged: bool,
}

impl Database {
    /// Opens the file for reading; one that was never there reads as empty and is not made.
    pub(super) fn open_reader(options: &SqliteOptions) -> Result<Database> {
        if !options.presence.look(&options.path)? {
            let connection = Connection::open_in_memory().context(|| "opening it".to_owned())?;
            return Database::new(connection, options);
        }
        // Also a reader needs to write: to the shared memory of the log.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = connect(&options.path, flags).and_then(|connection| Database::new(connection, options));
        match opened {
            Err(error) if matches!(error.kind(), ErrorKind::DatabaseMissing | ErrorKind::ReadOnly) => {
                Database::open_unchanging(options, error)
            }
            other => other,
        }
        .map_err(|error| system_reason(error, None, options))
    }

    /// Opens a file in a folder where no shared memory can be made. Nobody can write there, so without a log it
    /// does not change; with a log its newest part could not be read.
    fn open_unchanging(options: &SqliteOptions, cause: Error) -> Result<Database> {
        let logged = std::fs::metadata(options.log()).is_ok_and(|log| log.len() > 0);
        if logged {
            return Err(cause);
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let path: String =
            url::form_urlencoded::byte_serialize(options.path.to_string_lossy().as_bytes()).collect();
        let uri = format!(
            "file:{}?immutable=1",
            path.replace('+', "%20").replace("%2F", "/")
        );
        connect(Path::new(&uri), flags).and_then(|connection| Database::new(connection, options))
    }

    /// Opens the file for writing, in WAL mode, and makes it when it was never there.
    pub(super) fn open_writer(options: &SqliteOptions) -> Result<Database> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut unmade = None;
        if !options.presence.look(&options.path)? {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
            unmade = make_private(&options.path);
        }
        let opened = connect_on(Some(log_file::layer()?), &options.path, flags)
            .and_then(|connection| Database::new_writer(connection, options))
            .map_err(|error| system_reason(error, unmade, options))?;
        options.presence.look(&options.path)?;
        Ok(opened)
    }

    fn new_writer(connection: Connection, options: &SqliteOptions) -> Result<Database> {
        let mut logged = true;
        if !connection
            .is_readonly("main")
            .context(|| "opening it".to_owned())?
        {
            connection
                // Of no effect on a database that holds something.
                .execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}"))
                .context(|| "configuring it".to_owned())?;
            logged = enter_wal(&connection)?;
            let synchronous = if logged { "NORMAL" } else { "FULL" };
            connection
                .execute_batch(&format!(
                    "PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 0; \
                     PRAGMA journal_size_limit = {LOG_BYTES}; PRAGMA cache_spill = OFF;"
                ))
                .context(|| "configuring it".to_owned())?;
        }
        let database = Database::new(connection, options)?;
        Ok(Database { logged, ..database })
    }

    /// Reads the layout, which tells whether the file is a database at all.
    fn new(connection: Connection, options: &SqliteOptions) -> Result<Database> {
        let columns = schema::node_columns(&connection, &options.prefix)?;
        if !columns.is_empty() {
            options.warn_of_readers();
        }
        let sql = Statements::new(&options.prefix, &columns);
        Ok(Database {
            connection,
            sql,
            logged: true,
        })
    }

    /// Reads the layout again after it was changed.
    pub(super) fn refresh(&mut self, options: &SqliteOptions) -> Result<()> {
        let columns = schema::node_columns(&self.connection, &options.prefix)?;
        self.sql = Statements::new(&options.prefix, &columns);
        Ok(())
    }

    /// The tables as this connection sees them.
    pub(super) fn view(&self) -> View<'_> {
        View {
            connection: &self.connection,
            sql: &self.sql,
        }
    }
}

/// SQLite has one code for a file that is missing, for one that may not be opened, and for one beside which its log can
/// not be made; the system tells them apart. `unmade` is what kept a missing file from being made.
fn system_reason(error: Error, unmade: Option<io::Error>, options: &SqliteOptions) -> Error {
    if error.kind() != ErrorKind::DatabaseMissing {
        return error;
    }
    let is_new = unmade.is_some();
    let refused = unmade.or_else(|| refusal(options));
    let (kind, what, advice) = match refused.as_ref().map(io::Error::kind) {
        Some(io::ErrorKind::PermissionDenied) => (
            ErrorKind::AccessDenied,
            "this user may not open it",
            "Run the command as the user who owns the database, or have its owner open the file and its folder to this user.",
        ),
        Some(io::ErrorKind::ReadOnlyFilesystem) if is_new => (
            ErrorKind::ReadOnly,
            "it can not be made",
            "Name a file on a disk that can be written.",
        ),
        Some(io::ErrorKind::ReadOnlyFilesystem) => (
            ErrorKind::ReadOnly,
            "its disk is read-only",
            "Make the disk writable, or mount the volume with --read-only.",
        ),
        _ => return error,
    };
    let reason = Error::new(kind, what).with_advice(advice);
    match refused {
        Some(cause) => reason.with_source(cause),
        None => reason,
    }
}

/// What keeps this user from the file. It is asked for and not tried: closing the file once more would end the locks
/// that SQLite holds on it in this process.
#[cfg(unix)]
fn refusal(options: &SqliteOptions) -> Option<io::Error> {
    use rustix::fs::{Access, access};
    access(&options.path, Access::READ_OK)
        .and_then(|()| access(options.folder(), Access::WRITE_OK))
        .err()
        .map(io::Error::from)
}

#[cfg(not(unix))]
fn refusal(_options: &SqliteOptions) -> Option<io::Error> {
    None
}

/// Makes a missing file for this user alone: it will hold the keys of the object store, sealed with what stands
/// beside them. SQLite gives its logs the permissions of the file. What keeps a missing one from being made, for when
/// SQLite meets it too.
#[cfg(unix)]
fn make_private(path: &Path) -> Option<io::Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .err()
        .filter(|error| error.kind() != io::ErrorKind::AlreadyExists)
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> Option<io::Error> {
    None
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    connect_on(None, path, flags)
}

/// Connects through a file layer of SQLite, by its name.
fn connect_on(layer: Option<&CStr>, path: &Path, flags: OpenFlags) -> Result<Connection> {
    let what = || "opening it".to_owned();
    let connection = match layer {
        Some(layer) => Connection::open_with_flags_and_vfs(path, flags, layer),
        None => Connection::open_with_flags(path, flags),
    }
    .context(what)?;
    connection.busy_timeout(BUSY_TIMEOUT).context(what)?;
    // A checkpoint makes metadata durable, so even the one at the last close is ours to take (DESIGN, "Durability").
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .context(what)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection
        .execute_batch(&format!(
            "PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;"
        ))
        .context(what)?;
    Ok(connection)
}

/// Whether the file is in WAL mode now; a file system without shared memory keeps the rollback journal.
fn enter_wal(connection: &Connection) -> Result<bool> {
    let deadline = Instant::now() + JOURNAL_DEADLINE;
    loop {
        let mode = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))
            .context(|| "switching it to a write-ahead log".to_owned());
        match mode {
            Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < deadline => {
                std::thread::sleep(JOURNAL_PAUSE);
            }
            other => return other.map(|mode| mode.eq_ignore_ascii_case("wal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::presence::Presence;

    #[test]
    fn a_file_in_an_unwritable_folder_is_opened_as_unchanging_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "plain.db",
            "with space + 100%.db",
            "question? hash#.db",
            "\u{fc}mlaut.db",
        ] {
            let options = SqliteOptions {
                path: folder.path().join(name),
                prefix: "jfs_".to_owned(),
                readers_looked_at: std::sync::Once::new(),
                presence: Presence::default(),
            };
            let writer = Database::open_writer(&options).unwrap();
            schema::prepare(&writer.connection, &options.prefix).unwrap();
            let cause = || Error::new(ErrorKind::ReadOnly, "the folder is read-only");
            let refused = Database::open_unchanging(&options, cause()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ReadOnly, "its log would be missed");
            writer
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
            let reader = Database::open_unchanging(&options, cause()).unwrap();
            let columns = schema::node_columns(&reader.connection, &options.prefix).unwrap();
            assert_eq!(columns.len(), 19, "{name}");
        }
    }
}
