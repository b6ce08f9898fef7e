//! Counting of store calls.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use moorage_model::{ErrorKind, Result};

use super::StoreCounters;

/// The live form of [`StoreCounters`].
#[derive(Debug, Default)]
pub(crate) struct Counting {
    puts: AtomicU64,
    put_bytes: AtomicU64,
    gets: AtomicU64,
    get_bytes: AtomicU64,
    deletes: AtomicU64,
    lists: AtomicU64,
    syncs: AtomicU64,
    errors: AtomicU64,
}

impl Counting {
    pub(crate) fn put(&self, bytes: usize) {
        self.puts.fetch_add(1, Relaxed);
        self.put_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn get(&self, bytes: usize) {
        self.gets.fetch_add(1, Relaxed);
        self.get_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn delete(&self) {
        self.deletes.fetch_add(1, Relaxed);
    }

    pub(crate) fn list(&self) {
        self.lists.fetch_add(1, Relaxed);
    }

    pub(crate) fn sync(&self) {
        self.syncs.fetch_add(1, Relaxed);
    }

    /// Counts a failure; "not found" is an answer, not a failure.
    pub(crate) fn outcome<T>(&self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(|e| e.kind() != ErrorKind::NotFound) {
            self.errors.fetch_add(1, Relaxed);
        }
        result
    }

    pub(crate) fn snapshot(&self) -> StoreCounters {
        StoreCounters {
            puts: self.puts.load(Relaxed),
            put_bytes: self.put_bytes.load(Relaxed),
            gets: self.gets.load(Relaxed),
            get_bytes: self.get_bytes.load(Relaxed),
            deletes: self.deletes.load(Relaxed),
            lists: self.lists.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
            errors: self.errors.load(Relaxed),
        }
    }
}
