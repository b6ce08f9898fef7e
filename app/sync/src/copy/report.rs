//! What a copy did.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use moorage_model::Error;

use crate::RelativePath;

/// A change, done or, with [`crate::copy::CopyOptions::dry`], only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A file, a link or a folder is copied.
    Copy,
    /// Permissions are copied.
    SetPermissions,
    /// Deleted from the source.
    DeleteSource,
    /// Deleted from the destination.
    DeleteDestination,
}

/// Something that did not work. The rest goes on.
#[derive(Debug)]
pub struct Failure {
    /// What it is about.
    pub path: RelativePath,
    /// Why.
    pub error: Error,
}

/// Hears of a copy while it runs. Called from several tasks.
pub trait Observer: Send + Sync {
    /// A change that a dry run does not make.
    fn would(&self, action: Action, path: &RelativePath);

    /// Something did not work.
    fn failed(&self, failure: &Failure);
}

/// The sums of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files, links and, where they count, folders of the source.
    pub found: u64,
    /// Copied, or to be copied in a dry run.
    pub copied: u64,
    /// Bytes of them.
    pub copied_bytes: u64,
    /// Contents that were compared and found equal.
    pub checked: u64,
    /// Bytes of them.
    pub checked_bytes: u64,
    /// Whose permissions were set, without being copied.
    pub changed: u64,
    /// Deleted from the source.
    pub deleted_source: u64,
    /// Deleted from the destination.
    pub deleted_destination: u64,
    /// Left as they are.
    pub skipped: u64,
    /// What did not work.
    pub failed: u64,
}

/// The sums while they grow.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) found: AtomicU64,
    pub(super) copied: AtomicU64,
    pub(super) copied_bytes: AtomicU64,
    pub(super) checked: AtomicU64,
    pub(super) checked_bytes: AtomicU64,
    pub(super) changed: AtomicU64,
    pub(super) deleted_source: AtomicU64,
    pub(super) deleted_destination: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl Counts {
    pub(super) fn report(&self) -> Report {
        Report {
            found: self.found.load(Relaxed),
            copied: self.copied.load(Relaxed),
            copied_bytes: self.copied_bytes.load(Relaxed),
            checked: self.checked.load(Relaxed),
            checked_bytes: self.checked_bytes.load(Relaxed),
            changed: self.changed.load(Relaxed),
            deleted_source: self.deleted_source.load(Relaxed),
            deleted_destination: self.deleted_destination.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }
}

/// Adds one.
pub(super) fn one(count: &AtomicU64) {
    count.fetch_add(1, Relaxed);
}
