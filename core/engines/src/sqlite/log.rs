//! The durability barrier: one sync of the write-ahead log serves every caller that waits.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use moorage_model::{Error, ErrorKind, Result};
use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Mutex;

use super::database::{Database, LOG_BYTES};
use super::failure::{Context as _, in_file};
use super::options::SqliteOptions;
use super::writer::Writer;

/// How long starting the log over may wait for readers; the next barrier tries again.
const RESTART_PATIENCE: Duration = Duration::from_millis(200);

/// Syncs the log of one database and keeps its length bounded.
///
/// With `synchronous=NORMAL` a commit appends checksummed frames to the log and syncs nothing; recovery replays
/// the longest valid prefix that ends with a commit (SQLite, "Write-Ahead Logging", section 4). So everything
/// committed before a sync of the log file survives power loss, and a checkpoint syncs the log before the
/// database file and the database file before the log is reused. In a file that can not have a log (a network
/// file system without shared memory) every commit is synced by SQLite itself. What another program's client does
/// to the same file is its own: its checkpoints make records durable without a barrier of ours.
#[derive(Debug)]
pub(super) struct Log {
    options: Arc<SqliteOptions>,
    /// Counts callers; a sync that began after a caller arrived covers it.
    arrived: AtomicU64,
    progress: Mutex<Progress>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    covered: u64,
    /// When the log whose name is durable was made.
    named: Option<SystemTime>,
}

impl Log {
    pub(super) fn new(options: Arc<SqliteOptions>) -> Log {
        Log {
            options,
            arrived: AtomicU64::new(0),
            progress: Mutex::default(),
        }
    }

    /// Returns when every commit that was acknowledged before the call is durable.
    ///
    /// It may also make commits durable that come during the call, since a log that has grown long is moved into
    /// the database file: what must not be durable yet has to stay away.
    pub(super) async fn sync(self: &Arc<Self>, writer: &Arc<Writer>) -> Result<()> {
        let ticket = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let mut progress = self.progress.lock().await;
        if progress.covered >= ticket {
            return Ok(());
        }
        let covered = self.arrived.load(Ordering::Acquire);
        let named = if may_block_here() {
            tokio::task::block_in_place(|| self.sync_now(writer, progress.named))?
        } else {
            let (log, writer, named) = (Arc::clone(self), Arc::clone(writer), progress.named);
            tokio::task::spawn_blocking(move || log.sync_now(&writer, named))
                .await
                .map_err(|error| Error::new(ErrorKind::Io, "syncing the database log").with_source(error))??
        };
        *progress = Progress { covered, named };
        Ok(())
    }

    /// Syncs and, when the log is long, checkpoints it; `named` as in [`Progress`].
    fn sync_now(&self, writer: &Writer, named: Option<SystemTime>) -> Result<Option<SystemTime>> {
        let names_data = writer.take_names_data();
        let synced = self.sync_files(named).and_then(|(named, length)| {
            if length > LOG_BYTES {
                self.checkpoint(writer).map_err(in_file(&self.options.path))?;
            }
            Ok(named)
        });
        if synced.is_err() && names_data {
            writer.mark_names_data();
        }
        synced
    }

    /// Syncs the log, and the folder when it does not name this log durably yet; the length of the log in bytes.
    ///
    /// Never opens the database file: closing any descriptor of it would drop the locks that SQLite holds on it
    /// (POSIX advisory locks). The log carries none.
    fn sync_files(&self, named: Option<SystemTime>) -> Result<(Option<SystemTime>, u64)> {
        let path = self.options.log();
        // Windows flushes only files that were opened for writing.
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            // Without a log, or where nothing can be written, nothing waits for a sync.
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound
                        | std::io::ErrorKind::PermissionDenied
                        | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                return Ok((None, 0));
            }
            Err(error) => return Err(failed(&path)(error)),
        };
        file.sync_data().map_err(failed(&path))?;
        let metadata = file.metadata().map_err(failed(&path))?;
        let made = metadata.created().ok();
        if made.is_none() || made != named {
            sync_folder(self.options.folder())?;
        }
        Ok((made, metadata.len()))
    }

    /// Moves the log into the database file: the bulk beside the running writer, the rest while it waits, so that
    /// the log can start over.
    fn checkpoint(&self, writer: &Writer) -> Result<()> {
        let beside = Database::open_writer(&self.options)?;
        run_checkpoint(&beside.connection, "PASSIVE")?;
        writer.with(|_| {
            beside
                .connection
                .busy_timeout(RESTART_PATIENCE)
                .context(|| "checkpoint".to_owned())?;
            run_checkpoint(&beside.connection, "RESTART")
        })
    }
}

/// Whether this thread runs a task of a runtime with several threads, which then gives its other tasks to another
/// thread: no hop to a blocking thread and back.
fn may_block_here() -> bool {
    let several = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    tokio::task::try_id().is_some() && Handle::try_current().is_ok_and(several)
}

/// Moves the log into the database file, as far as others let it.
pub(super) fn run_checkpoint(connection: &Connection, mode: &str) -> Result<()> {
    // The first column of the answer tells whether others kept it from finishing, which is no failure.
    connection
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
        .context(|| "moving the log into the database".to_owned())
}

/// A folder can not be opened for this on Windows, whose file system logs names itself.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(failed(folder))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
            _ => ErrorKind::Io,
        };
        Error::new(kind, format!("syncing {}", path.display())).with_source(error)
    }
}
