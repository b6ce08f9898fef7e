//! Room on a full disk for what removes: a commit appends to the write-ahead log, also one that only takes records
//! away, and without room for it nothing could be deleted any more.
//!
//! Blocks of the disk are kept behind the end of the log, without a change of its length, which SQLite judges it by. A
//! commit that would leave less than [`RESERVE_BYTES`] of them, on a disk that has no more, fails as on a full disk,
//! except when it removes. The blocks go with the log. Its index is made long enough from the start
//! ([`LogIndex::lengthen`](super::log_index::LogIndex::lengthen)).

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the log that are kept for removals: some two hundred, or a hundred groups of them, after which deleted
/// objects or somebody else should have made room.
const RESERVE_BYTES: u64 = 2 << 20;
/// Bytes by which the log's blocks are taken ahead beyond that, so that few commits ask the system.
const STEP_BYTES: u64 = 1 << 20;
thread_local! {
    static REMOVING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, commits of this thread may use the reserve.
#[derive(Debug)]
pub(super) struct Removing(());

impl Removing {
    pub(super) fn begin() -> Removing {
        REMOVING.set(true);
        Removing(())
    }
}

impl Drop for Removing {
    fn drop(&mut self) {
        REMOVING.set(false);
    }
}

/// What is kept behind one log.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    /// The log; none when its name is not known.
    log: Option<PathBuf>,
    /// Up to where the log has blocks.
    taken: u64,
    /// Its file system can not keep blocks for a file.
    unsupported: bool,
}

impl Reserve {
    pub(super) fn of(log: Option<PathBuf>) -> Reserve {
        Reserve {
            log,
            ..Reserve::default()
        }
    }

    /// Whether a commit that ends here in the log may be written.
    pub(super) fn allows(&mut self, end: u64) -> bool {
        let wanted = end.saturating_add(RESERVE_BYTES);
        if self.unsupported || wanted <= self.taken {
            return true;
        }
        let Some(log) = &self.log else { return true };
        let bytes = wanted.saturating_add(STEP_BYTES);
        let taken = take(log, bytes).map(|()| bytes);
        match taken.or_else(|_| take(log, wanted).map(|()| wanted)) {
            Ok(taken) => {
                self.taken = taken;
                true
            }
            Err(error) if is_full(&error) => REMOVING.get(),
            Err(error) => {
                tracing::debug!(%error, "no room is kept for removals on a full disk");
                self.unsupported = true;
                true
            }
        }
    }

    /// The log was cut, and the blocks behind its end are gone.
    pub(super) fn forget(&mut self) {
        self.taken = 0;
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Takes blocks for the log up to this length.
#[cfg(target_os = "linux")]
fn take(log: &Path, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    // Another descriptor than SQLite's, whose end drops no lock: the log carries none.
    let file = std::fs::OpenOptions::new().write(true).open(log)?;
    fallocate(&file, FallocateFlags::KEEP_SIZE, 0, bytes)?;
    Ok(())
}

/// Elsewhere blocks can not be taken without a change of the length.
#[cfg(not(target_os = "linux"))]
fn take(_log: &Path, _bytes: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
