//! What a copy does and leaves.

use std::sync::Arc;

use moorage_model::Timestamp;

use crate::Filter;

/// Which files are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of files on both sides those that are newer in the source, whatever their sizes.
    pub update: bool,
    /// All of them.
    pub force_update: bool,
    /// Only files that the destination has.
    pub existing: bool,
    /// Only files that the destination does not have.
    pub ignore_existing: bool,
}

/// What is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// From the source, what the destination has already. Both contents are read and compared first.
    pub source: bool,
    /// From the source, what was copied just now. Here too both contents are compared.
    pub source_after: bool,
    /// From the destination, what the source does not have.
    pub destination: bool,
}

/// Which contents are read once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// What was copied is read from the destination and compared.
    pub new: bool,
    /// So is what was there already; what differs is copied.
    pub all: bool,
}

/// Options of a copy.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Which files are copied.
    pub selection: Selection,
    /// What is deleted.
    pub deletions: Deletions,
    /// Which contents are compared.
    pub checks: Checks,
    /// Which names take part; what does not is neither copied nor deleted.
    pub filter: Arc<Filter>,
    /// Folders are copied and deleted too, not only files.
    pub folders: bool,
    /// Permission bits and owners are copied.
    pub permissions: bool,
    /// Symbolic links are copied as links, not what they point to.
    pub links: bool,
    /// Nothing is changed; what would be is told.
    pub dry: bool,
    /// Transfers at the same time.
    pub threads: usize,
    /// Entries of the source that are looked at, at most.
    pub limit: Option<u64>,
    /// Failures after which the copy gives up.
    pub most_failures: Option<u64>,
    /// Bytes per second, 0 for no limit.
    pub bytes_per_second: u64,
    /// The current time, by which old leftovers are known.
    pub now: Timestamp,
}
