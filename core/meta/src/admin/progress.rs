//! Counts of long work, shared with whoever shows them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moorage_model::{Error, ErrorKind, Result};

/// How far long work is. The worker adds, anybody reads; both never wait.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    bytes: AtomicU64,
    expected: AtomicU64,
    cancelled: AtomicBool,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressCounts {
    /// Items finished: nodes, slices or objects, as the work says.
    pub done: u64,
    /// Bytes that belong to them.
    pub bytes: u64,
    /// Items known of so far; 0 when the work can not tell. Grows while the work finds more.
    pub expected: u64,
}

impl Progress {
    /// Counts finished items and their bytes.
    pub fn add(&self, items: u64, bytes: u64) {
        self.done.fetch_add(items, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Says that so many more items are to be done.
    pub fn expect(&self, items: u64) {
        self.expected.fetch_add(items, Ordering::Relaxed);
    }

    /// The counts now.
    pub fn counts(&self) -> ProgressCounts {
        ProgressCounts {
            done: self.done.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            expected: self.expected.load(Ordering::Relaxed),
        }
    }

    /// Asks the work to stop at the next safe point. What it did stays done.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    ///
    /// # Errors
    /// `Interrupted` when it was.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(Error::new(ErrorKind::Interrupted, "the work was cancelled")
                .with_advice("What was done stays done; start it again to go on."))
        } else {
            Ok(())
        }
    }
}
