//! The sealed blocks of a slice that is being written, shared between its writer and its uploads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use moorage_model::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::buffer::Share;
use crate::flight::shared;

#[derive(Debug)]
enum State {
    Waiting,
    Uploading,
    Stored,
    Failed(Arc<Error>),
}

#[derive(Debug)]
struct Sealed {
    len: u32,
    /// Given up, with its share of the write buffers, once the block is stored.
    data: Option<(Bytes, Share)>,
    state: State,
}

/// How far the uploads of a slice are.
#[derive(Debug)]
pub(crate) enum Progress {
    Stored,
    Uploading,
    Failed(Error),
}

/// Blocks in order; each full but the last.
#[derive(Debug, Default)]
pub(crate) struct SliceBlocks {
    sealed: Mutex<Vec<Sealed>>,
    pub(crate) changed: Notify,
    abandoned: AtomicBool,
}

impl SliceBlocks {
    /// Adds a block behind the others.
    pub(crate) fn seal(&self, bytes: Bytes, share: Share) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.sealed.lock().push(Sealed {
            len,
            data: Some((bytes, share)),
            state: State::Waiting,
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.sealed.lock().len()
    }

    /// Blocks that wait for an upload, also for another one after a failure.
    pub(crate) fn startable(&self) -> Vec<usize> {
        let sealed = self.sealed.lock();
        let waits = |s: &Sealed| matches!(s.state, State::Waiting | State::Failed(_));
        sealed
            .iter()
            .enumerate()
            .filter(|(_, s)| waits(s))
            .map(|(index, _)| index)
            .collect()
    }

    /// The bytes of a block that begins its upload; `None` when it has no need of one or the slice is given up.
    pub(crate) fn begin(&self, index: usize) -> Option<Bytes> {
        if self.abandoned.load(Ordering::Acquire) {
            return None;
        }
        let mut sealed = self.sealed.lock();
        let block = sealed.get_mut(index)?;
        match block.state {
            State::Waiting | State::Failed(_) => {
                block.state = State::Uploading;
                block.data.as_ref().map(|(bytes, _)| bytes.clone())
            }
            State::Uploading | State::Stored => None,
        }
    }

    /// Records how an upload ended.
    pub(crate) fn end(&self, index: usize, result: Result<()>) {
        if let Some(block) = self.sealed.lock().get_mut(index) {
            match result {
                Ok(()) => {
                    block.state = State::Stored;
                    block.data = None;
                }
                Err(error) => block.state = State::Failed(Arc::new(error)),
            }
        }
        self.changed.notify_waiters();
    }

    /// A failure counts only when nothing is under way any more: then the slice has come to rest.
    pub(crate) fn progress(&self) -> Progress {
        let sealed = self.sealed.lock();
        if sealed.iter().any(|s| matches!(s.state, State::Uploading)) {
            return Progress::Uploading;
        }
        let failed = sealed.iter().find_map(|s| match &s.state {
            State::Failed(error) => Some(shared(error)),
            _ => None,
        });
        match failed {
            Some(error) => Progress::Failed(error),
            None if sealed.iter().all(|s| matches!(s.state, State::Stored)) => Progress::Stored,
            None => Progress::Uploading,
        }
    }

    /// The bytes of a block if they are still here.
    pub(crate) fn bytes(&self, index: usize) -> Option<Bytes> {
        self.sealed
            .lock()
            .get(index)
            .and_then(|s| s.data.as_ref().map(|(bytes, _)| bytes.clone()))
    }

    /// Lets no further upload start.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    /// Whether an upload is under way.
    pub(crate) fn is_uploading(&self) -> bool {
        self.sealed
            .lock()
            .iter()
            .any(|s| matches!(s.state, State::Uploading))
    }

    /// Lengths of all blocks.
    pub(crate) fn lengths(&self) -> Vec<u32> {
        self.sealed.lock().iter().map(|s| s.len).collect()
    }
}
