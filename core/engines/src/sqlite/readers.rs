//! Read connections: a read runs on the calling thread and never queues behind the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorage_model::Result;
use parking_lot::{Mutex, MutexGuard};

use super::database::Database;
use super::failure::in_file;
use super::options::SqliteOptions;
use super::view::View;
use super::{closed, writer::Slot};

/// Read connections: one per core would do for a mount's threads, some more for background jobs.
const READERS: usize = 8;

thread_local! {
    /// Where this thread begins its search, so that threads do not meet at the first connection.
    static PREFERRED: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed)
    };
}

/// A fixed number of connections, opened when they are needed first.
#[derive(Debug)]
pub(super) struct Readers {
    options: Arc<SqliteOptions>,
    slots: [Mutex<Slot>; READERS],
}

impl Readers {
    pub(super) fn new(options: Arc<SqliteOptions>) -> Readers {
        Readers {
            options,
            slots: std::array::from_fn(|_| Mutex::new(Slot::Unopened)),
        }
    }

    /// Reads committed records with a free connection, or waits for the end of another read.
    pub(super) fn view<T>(&self, read: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        let mut slot = self.free();
        if matches!(*slot, Slot::Unopened) {
            let database = Database::open_reader(&self.options).map_err(in_file(&self.options.path))?;
            // An absent file may be made by the next call.
            if database.connection.path().is_none_or(str::is_empty) {
                return read(database.view());
            }
            *slot = Slot::Open(Box::new(Mutex::new(database)));
        }
        match &mut *slot {
            Slot::Open(database) => read(database.get_mut().view()).map_err(in_file(&self.options.path)),
            _ => Err(closed(&self.options.path)),
        }
    }

    fn free(&self) -> MutexGuard<'_, Slot> {
        let (before, from) = self
            .slots
            .split_at(PREFERRED.with(|preferred| preferred % READERS));
        let [fallback, ..] = &self.slots;
        let free = from.iter().chain(before).find_map(Mutex::try_lock);
        free.unwrap_or_else(|| fallback.lock())
    }

    /// Opens the connections anew at their next use: the layout has changed.
    pub(super) fn reopen(&self) {
        for slot in &self.slots {
            let mut slot = slot.lock();
            if matches!(*slot, Slot::Open(_)) {
                *slot = Slot::Unopened;
            }
        }
    }

    /// Closes all connections for good.
    pub(super) fn close(&self) {
        for slot in &self.slots {
            *slot.lock() = Slot::Closed;
        }
    }
}
