//! The durability barrier: one sync of the write-ahead log serves every caller that waits.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moorage_model::{Error, ErrorKind, Result};

use super::failure::Context as _;
use super::writer::Writer;

/// Length of the log in bytes from which a barrier also moves it into the database file.
const CHECKPOINT_BYTES: u64 = 32 << 20;

/// Syncs the log of one database.
///
/// With `synchronous=NORMAL` a commit appends checksummed frames to the log and syncs nothing; recovery replays
/// the longest valid prefix that ends with a commit (SQLite, "Write-Ahead Logging", section 4). So everything
/// committed before a sync of the log file survives power loss, and a checkpoint syncs the log before the
/// database file and the database file before the log is reused.
#[derive(Debug)]
pub(super) struct LogSync {
    database: PathBuf,
    log: PathBuf,
    /// Counts callers; a sync that began after a caller arrived covers it.
    arrived: AtomicU64,
    covered: tokio::sync::Mutex<u64>,
    folder_synced: AtomicBool,
}

impl LogSync {
    /// For the database at this path.
    pub(super) fn new(database: &Path) -> LogSync {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        LogSync {
            database: database.to_path_buf(),
            log: PathBuf::from(log),
            arrived: AtomicU64::new(0),
            covered: tokio::sync::Mutex::new(0),
            folder_synced: AtomicBool::new(false),
        }
    }

    /// Returns when every commit that was acknowledged before the call is durable.
    pub(super) async fn sync(&self, writer: &Writer) -> Result<()> {
        let ticket = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let mut covered = self.covered.lock().await;
        if *covered >= ticket {
            return Ok(());
        }
        let now = self.arrived.load(Ordering::Acquire);
        let (database, log) = (self.database.clone(), self.log.clone());
        let with_folder = !self.folder_synced.load(Ordering::Acquire);
        let length = tokio::task::spawn_blocking(move || sync_files(&database, &log, with_folder))
            .await
            .map_err(|error| Error::new(ErrorKind::Io, "syncing the database log").with_source(error))??;
        *covered = now;
        self.folder_synced.store(true, Ordering::Release);
        if length > CHECKPOINT_BYTES {
            writer.with(|connection| {
                connection
                    .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                    .context(|| "checkpoint".to_owned())
            })?;
        }
        Ok(())
    }
}

/// Syncs the log, and once the folder that names it; the length of the log in bytes. Without a log all is in the
/// database file already.
fn sync_files(database: &Path, log: &Path, with_folder: bool) -> Result<u64> {
    let failed = |path: &Path| {
        let message = format!("syncing {}", path.display());
        move |error: std::io::Error| Error::new(ErrorKind::Io, message).with_source(error)
    };
    let length = match File::open(log) {
        Ok(file) => {
            file.sync_data().map_err(failed(log))?;
            file.metadata().map_err(failed(log))?.len()
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            File::open(database)
                .and_then(|file| file.sync_all())
                .map_err(failed(database))?;
            0
        }
        Err(error) => return Err(failed(log)(error)),
    };
    if let Some(folder) = database.parent().filter(|_| with_folder) {
        File::open(folder)
            .and_then(|file| file.sync_all())
            .map_err(failed(folder))?;
    }
    Ok(length)
}
