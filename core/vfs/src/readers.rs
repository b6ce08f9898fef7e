//! Which processes read most.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use crate::Vfs;
use crate::handles::OpenedFile;

/// Processes remembered after they closed their files; the one that read least gives way.
const MOST_PROCESSES: usize = 256;

/// What processes read through handles that are closed.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    closed: Mutex<HashMap<u32, u64>>,
}

impl Readers {
    /// Adds what was read through a handle that is closed now. A lock for one that was read from, else nothing.
    pub(crate) fn note(&self, opened: &OpenedFile) {
        let bytes = opened.bytes_read.load(Relaxed);
        if bytes == 0 {
            return;
        }
        let mut closed = self.closed.lock();
        *closed.entry(opened.process).or_default() += bytes;
        if closed.len() > MOST_PROCESSES {
            let least = closed
                .iter()
                .min_by_key(|(_, bytes)| **bytes)
                .map(|(process, _)| *process);
            if let Some(process) = least {
                closed.remove(&process);
            }
        }
    }
}

impl Vfs {
    /// Bytes read by each process (its thread, where the door names that) since the mount began, as far as they are
    /// remembered: those that opened the files count. In proportion to the number of open files.
    pub(crate) fn bytes_read_by_process(&self) -> Vec<(u32, u64)> {
        let mut sums = self.readers.closed.lock().clone();
        for opened in self.handles.files() {
            *sums.entry(opened.process).or_default() += opened.bytes_read.load(Relaxed);
        }
        sums.retain(|_, bytes| *bytes > 0);
        sums.into_iter().collect()
    }
}
