//! A file layer under SQLite that remembers every write and sync, so that a test can build what a power cut at any
//! moment may have left on the disk.

pub(crate) mod image;
mod vfs;

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

pub(crate) use vfs::install;

/// One change of a file, in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        length: usize,
    },
    /// Everything before is durable.
    Sync,
    Delete,
}

/// A change and the file that it happened to.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) path: PathBuf,
    pub(crate) change: Change,
}

static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());
/// Writes to files in this folder fail as on a full disk.
static FULL: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Databases in this folder can have no log.
static WITHOUT_SHARED_MEMORY: Mutex<Option<PathBuf>> = Mutex::new(None);

fn record(path: &Path, change: Change) {
    EVENTS.lock().push(Event {
        path: path.to_path_buf(),
        change,
    });
}

fn is_full(path: &Path) -> bool {
    FULL.lock()
        .as_ref()
        .is_some_and(|folder| path.starts_with(folder))
}

fn has_shared_memory(path: &Path) -> bool {
    !WITHOUT_SHARED_MEMORY
        .lock()
        .as_ref()
        .is_some_and(|folder| path.starts_with(folder))
}

/// Opens databases in `folder` as on a file system without shared memory from now on.
pub(crate) fn deny_shared_memory(folder: &Path) {
    *WITHOUT_SHARED_MEMORY.lock() = Some(folder.to_path_buf());
}

/// Lets writes to files in `folder` fail from now on; `None` ends that.
pub(crate) fn fill_disk(folder: Option<&Path>) {
    *FULL.lock() = folder.map(Path::to_path_buf);
}

/// Number of changes so far, of all files.
pub(crate) fn position() -> usize {
    EVENTS.lock().len()
}

/// Notes a sync that went past SQLite, of everything written before `position`.
pub(crate) fn record_sync(path: &Path, position: usize) {
    let event = Event {
        path: path.to_path_buf(),
        change: Change::Sync,
    };
    EVENTS.lock().insert(position, event);
}

/// The changes in a range of positions.
pub(crate) fn events(range: std::ops::Range<usize>) -> Vec<Event> {
    EVENTS.lock()[range].to_vec()
}
