//! Live figures of a mounted volume.

use serde::{Deserialize, Serialize};

use crate::state::Timestamp;

/// What a mount process counts. Totals run since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Figures {
    /// Requests of the kernel answered.
    pub operations: u64,
    /// Bytes put into the object store.
    pub bytes_uploaded: u64,
    /// Bytes read from the object store.
    pub bytes_downloaded: u64,
    /// Blocks that wait to be uploaded.
    pub upload_queue: u64,
    /// When the oldest staged byte was written; absent when nothing is staged.
    pub oldest_staged: Option<Timestamp>,
    /// Files with bytes that exist only on this computer.
    pub staged_files: u64,
    /// Bytes that exist only on this computer.
    pub staged_bytes: u64,
    /// The cache on disk.
    pub cache: CacheUse,
    /// Space of the volume; absent until it was read.
    pub space: Option<Space>,
    /// Failed requests, by kind; kinds that never happened are absent.
    pub errors: Vec<ErrorCount>,
    /// The processes that read most, most first, at most [`TOP_READERS`].
    pub top_readers: Vec<Reader>,
}

/// How many processes [`Figures::top_readers`] names at most: what fits a card of the window.
pub const TOP_READERS: usize = 5;

/// The cache on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct CacheUse {
    /// Bytes used.
    pub used: u64,
    /// Bytes allowed.
    pub limit: u64,
    /// Bytes that are kept on this device on purpose.
    pub pinned: u64,
}

/// Space of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Space {
    /// Bytes used.
    pub used: u64,
    /// The quota in bytes; absent when there is none.
    pub quota: Option<u64>,
    /// Files and folders.
    pub inodes: u64,
}

/// How often one kind of error happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorCount {
    /// The kind, as the mount names it.
    pub kind: String,
    /// How often.
    pub count: u64,
}

/// A process that reads from a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reader {
    /// The number of the process.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Bytes that it read.
    pub bytes: u64,
}
