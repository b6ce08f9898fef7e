//! Bringing what was written to the store and into the namespace.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use moorage_model::{Error, ErrorKind, Result, SliceId};

use super::OpenFile;
use super::commit::AttributeChange;
use super::pending::PendingSlice;
use crate::Vfs;

/// A slice nobody wrote to for this long is stored and committed.
const IDLE: Duration = Duration::from_secs(5);
/// As [`IDLE`], while buffers run short.
const IDLE_UNDER_PRESSURE: Duration = Duration::from_millis(500);
/// A slice that is written to all the time is committed after this long, so that other clients see it grow.
const AGED: Duration = Duration::from_secs(15);
/// Garbage collection of any client may delete blocks without a record after an hour (spec 60-objects section 2), so
/// slices that could not be committed are given up before.
const EXPIRED: Duration = Duration::from_secs(50 * 60);

impl OpenFile {
    /// Stores and commits everything written before the call.
    ///
    /// Ready on the first poll when nothing was written, and for small slices on a local folder with an engine that
    /// answers in place. Costs one transaction for all slices.
    ///
    /// # Errors
    /// What storing or committing answers; the slices are kept for a later attempt. What can not be saved by one is
    /// given up, and the file's users are told.
    ///
    /// # Cancel safety
    /// Dropping the future leaves slices to the next call, which finds out what became of them.
    pub(crate) async fn store_and_commit(&self, vfs: &Vfs) -> Result<()> {
        self.store_and_commit_with(vfs, None).await.map(drop)
    }

    /// As [`OpenFile::store_and_commit`] for a caller that will wait for the barrier: the objects are on their way to the
    /// disk while their records are committed.
    pub(crate) async fn store_and_commit_to_sync(&self, vfs: &Vfs) -> Result<()> {
        self.bring(vfs, None, || vfs.chunks.will_sync()).await.map(drop)
    }

    /// As [`OpenFile::store_and_commit`], and makes `change` in the same transaction when it can; says whether it did.
    /// It does not when nothing is to be committed.
    pub(crate) async fn store_and_commit_with(
        &self,
        vfs: &Vfs,
        change: Option<&AttributeChange<'_>>,
    ) -> Result<bool> {
        self.bring(vfs, change, || ()).await
    }

    /// Calls `once_stored` between storing and committing.
    async fn bring(
        &self,
        vfs: &Vfs,
        change: Option<&AttributeChange<'_>>,
        once_stored: impl FnOnce() + Send,
    ) -> Result<bool> {
        if !self.is_dirty() {
            return Ok(false);
        }
        let upto = self.content().next_sequence;
        let _turn = self.commit.lock().await;
        let slices = self.close_before(upto);
        for slice in &slices {
            let len = slice.seal().await;
            if let Some(pending) = self.content_mut().find(slice.sequence) {
                pending.len = len;
            }
        }
        let stored = match slices.as_slice() {
            [] => return Ok(false),
            [one] => vec![one.stored().await],
            many => join_all(many.iter().map(|slice| slice.stored())).await,
        };
        once_stored();
        let outcome = Box::pin(self.commit(vfs, &slices, stored, change)).await;
        vfs.files.note_unrecorded(self, self.content().unrecorded());
        outcome
    }

    /// Ends writing to the slices begun before `sequence` and returns them in order.
    fn close_before(&self, sequence: u64) -> Vec<Arc<PendingSlice>> {
        let mut content = self.content_mut();
        let before = content.pending.iter_mut().filter(|p| p.slice.sequence < sequence);
        before
            .map(|pending| {
                pending.open = false;
                Arc::clone(&pending.slice)
            })
            .collect()
    }

    /// Whether the background should settle the file now.
    pub(crate) fn is_due(&self, pressure: bool) -> bool {
        let idle = if pressure { IDLE_UNDER_PRESSURE } else { IDLE };
        let orphaned = !self.is_open();
        let content = self.content();
        content.pending.iter().any(|pending| {
            orphaned || !pending.open || pending.touched.elapsed() >= idle || pending.born.elapsed() >= AGED
        })
    }

    /// Gives up slices that could not be committed in time.
    pub(crate) async fn give_up_expired(&self) {
        let _turn = self.commit.lock().await;
        let expired: Vec<Arc<PendingSlice>> = {
            let content = self.content();
            let old = content.pending.iter().filter(|p| p.born.elapsed() >= EXPIRED);
            old.map(|p| Arc::clone(&p.slice)).collect()
        };
        if expired.is_empty() {
            return;
        }
        let error = Error::new(
            ErrorKind::Io,
            format!(
                "inode {}: written data could not be stored for 50 minutes and is lost",
                self.ino
            ),
        );
        tracing::error!(%error, "data lost");
        // What became of their last commit may be unknown, so the objects are left to garbage collection.
        drop(self.give_up(&expired, error));
    }

    /// Drops slices for good and remembers why for the file's users. Returns the objects nobody refers to.
    pub(super) fn give_up(&self, slices: &[Arc<PendingSlice>], error: Error) -> Vec<(SliceId, u32)> {
        let sequences: Vec<u64> = slices.iter().map(|slice| slice.sequence).collect();
        let mut content = self.content_mut();
        let found = slices
            .iter()
            .filter(|slice| content.find(slice.sequence).is_some())
            .map(|slice| (slice.id, slice.size()))
            .collect();
        content.dropped(&sequences);
        content.losses.add(error);
        found
    }
}
