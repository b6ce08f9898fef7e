//! News of written data that was given up: each handle of the file is told once by fsync or close, as Linux has it for
//! its page cache, and once by a write or another change of the content.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moorage_model::{Error, Ino, Result};

/// What a file lost since it is known here.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    count: u64,
    last: Option<Arc<Error>>,
    /// Somebody was told of the last one.
    told: bool,
}

impl Losses {
    /// Adds a loss, news to every handle.
    pub(crate) fn add(&mut self, error: Error) {
        self.count += 1;
        self.last = Some(Arc::new(error));
        self.told = false;
    }

    /// What a handle opened now has been told: everything but a loss that nobody knows of.
    fn known_at_open(&self) -> u64 {
        self.count.saturating_sub(u64::from(!self.told))
    }

    fn news(&mut self, ino: Ino) -> Result<()> {
        self.told = true;
        let Some(error) = &self.last else { return Ok(()) };
        let message = format!("inode {ino}: what was written is lost");
        Err(Error::new(error.kind(), message).with_source(Arc::clone(error)))
    }
}

/// Up to which loss of its file a handle has been told.
#[derive(Debug)]
pub(crate) struct Told {
    by_sync: AtomicU64,
    by_write: AtomicU64,
}

impl Told {
    /// Of a handle opened now.
    pub(crate) fn at_open(losses: &Losses) -> Told {
        let known = losses.known_at_open();
        Told {
            by_sync: AtomicU64::new(known),
            by_write: AtomicU64::new(known),
        }
    }
}

impl super::OpenFile {
    /// Tells a handle of data that was lost, once for fsync and close.
    ///
    /// # Errors
    /// Why the last of it was lost.
    pub(crate) fn tell_at_sync(&self, told: &Told) -> Result<()> {
        let count = self.content().losses.count;
        if told.by_sync.load(Ordering::Acquire) == count {
            return Ok(());
        }
        told.by_write.store(count, Ordering::Release);
        if told.by_sync.swap(count, Ordering::AcqRel) == count {
            return Ok(());
        }
        self.content_mut().losses.news(self.ino)
    }

    /// Tells a handle of data that was lost, once for writes. An fsync tells it all the same: who misses the answer of
    /// one write must not take the file for whole.
    ///
    /// # Errors
    /// Why the last of it was lost.
    pub(crate) fn tell_at_write(&self, told: &Told) -> Result<()> {
        let count = self.content().losses.count;
        if told.by_write.load(Ordering::Acquire) == count
            || told.by_write.swap(count, Ordering::AcqRel) == count
        {
            return Ok(());
        }
        self.content_mut().losses.news(self.ino)
    }

    /// Data that was lost and that no handle was told of.
    ///
    /// # Errors
    /// Why the last of it was lost.
    pub(crate) fn untold(&self) -> Result<()> {
        let told = {
            let losses = &self.content().losses;
            losses.told || losses.count == 0
        };
        if told {
            Ok(())
        } else {
            self.content_mut().losses.news(self.ino)
        }
    }
}
