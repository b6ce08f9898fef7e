//! The queue of data to be removed in the background (spec 70-semantics section 4).

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use moorage_model::{Ino, Result, SliceId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Meta;
use crate::open_files::LastClose;
use crate::tasks::Stop;

/// Entries that wait at most. What does not fit is found again by the hourly jobs.
const CAPACITY: usize = 100_000;
/// How long the worker lets entries gather, so that one durability barrier serves many.
const GATHER: Duration = Duration::from_secs(1);

/// Data that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// A deleted file of this length.
    File(Ino, u64),
    /// An unlinked file that this client held open until now.
    Sustained(Ino),
    /// Slices that may have lost their last owner.
    Slices(Vec<(SliceId, u32)>),
}

/// What waits for the worker.
#[derive(Debug, Default)]
pub(crate) struct DeletionQueue {
    waiting: Mutex<VecDeque<Deletion>>,
    arrived: Arc<Notify>,
    /// Held while a batch is worked on.
    turn: tokio::sync::Mutex<()>,
}

impl DeletionQueue {
    /// Adds an entry unless the queue is full.
    pub(crate) fn push(&self, deletion: Deletion) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < CAPACITY {
            waiting.push_back(deletion);
            self.arrived.notify_one();
        } else {
            tracing::debug!(?deletion, "the deletion queue is full; left to the hourly job");
        }
    }

    fn take(&self) -> VecDeque<Deletion> {
        std::mem::take(&mut *self.waiting.lock())
    }
}

impl Meta {
    /// Does now what the background queue would do: removes the data of files deleted and slices replaced so far.
    ///
    /// # Errors
    /// The first failure; what failed is left to the hourly jobs.
    ///
    /// # Cancel safety
    /// What was not done when the future is dropped is left to the hourly jobs.
    pub async fn flush_deletions(&self) -> Result<()> {
        let _turn = self.deletions.turn.lock().await;
        let mut first_failure = Ok(());
        loop {
            let batch = self.deletions.take();
            if batch.is_empty() {
                return first_failure;
            }
            if let Err(error) = self.delete_batch(batch).await
                && first_failure.is_ok()
            {
                first_failure = Err(error);
            }
        }
    }

    async fn delete_batch(&self, batch: VecDeque<Deletion>) -> Result<()> {
        let at_once = self.options.max_deletes.max(1);
        let (mut files, mut dead, mut sustained) = (Vec::new(), Vec::new(), Vec::new());
        for deletion in batch {
            match deletion {
                Deletion::File(ino, length) => files.push((ino, length)),
                Deletion::Sustained(ino) => sustained.push(ino),
                Deletion::Slices(slices) => dead.extend(slices),
            }
        }
        let mut ended = futures_util::stream::iter(sustained)
            .map(|ino| async move { (ino, self.end_sustained(self.session(), ino).await) })
            .buffer_unordered(at_once);
        let mut outcome = Ok(());
        while let Some((ino, length)) = ended.next().await {
            match length {
                Ok(length) => files.extend(length.map(|length| (ino, length))),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        let (dropped, result) = self.drop_data_of_files(files, at_once).await;
        dead.extend(dropped);
        self.remove_slices(dead).await.and(outcome).and(result)
    }

    /// What the last close of a file has to do.
    pub(crate) async fn finish_close(&self, ino: Ino, work: LastClose) -> Result<()> {
        match work {
            LastClose::Nothing => {}
            LastClose::RemoveData(length) => self.deletions.push(Deletion::File(ino, length)),
            LastClose::DeleteSustained => {
                if let Some(length) = self.end_sustained(self.session(), ino).await? {
                    self.deletions.push(Deletion::File(ino, length));
                }
            }
        }
        Ok(())
    }

    /// As [`Meta::finish_close`], in the background.
    pub(crate) fn finish_close_later(&self, ino: Ino, work: LastClose) {
        match work {
            LastClose::Nothing => {}
            LastClose::RemoveData(length) => self.deletions.push(Deletion::File(ino, length)),
            LastClose::DeleteSustained => self.deletions.push(Deletion::Sustained(ino)),
        }
    }
}

impl Meta {
    /// The worker of a session: empties the queue until the client closes, and once more then.
    pub(crate) async fn work_on_deletions(meta: Weak<Meta>, mut stop: Stop) {
        let Some(arrived) = meta.upgrade().map(|meta| Arc::clone(&meta.deletions.arrived)) else {
            return;
        };
        let mut open = true;
        while open {
            tokio::select! {
                () = stop.stopped() => open = false,
                () = arrived.notified() => open = stop.sleep(GATHER).await,
            }
            let Some(meta) = meta.upgrade() else { return };
            if let Err(error) = meta.flush_deletions().await {
                tracing::warn!(%error, "removing data of deleted files; the hourly job tries again");
            }
        }
    }
}
