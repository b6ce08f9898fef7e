//! Commits that ended without an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use moorage_model::{ErrorKind, Result, SliceId};

use super::OpenFile;
use super::pending::PendingSlice;
use crate::Vfs;

impl OpenFile {
    /// Finds out which commits that ended without an answer did happen. Bytes are written over without harm when one is
    /// made twice, but appended ones would be there twice, and slices that were compacted away meanwhile have no objects.
    ///
    /// The caller has the turn of commits. Nothing to do, as nearly always, costs a short lock; otherwise a scan of the file's records.
    pub(super) async fn drop_doubts(&self, vfs: &Vfs) -> Result<()> {
        let doubtful: Vec<Arc<PendingSlice>> = {
            let content = self.content();
            let found = content.pending.iter().filter(|p| p.doubtful);
            found.map(|p| Arc::clone(&p.slice)).collect()
        };
        if doubtful.is_empty() {
            return Ok(());
        }
        // Rare, and large for a future that every commit carries.
        Box::pin(self.look_for(vfs, doubtful)).await
    }

    async fn look_for(&self, vfs: &Vfs, doubtful: Vec<Arc<PendingSlice>>) -> Result<()> {
        let (mut done, mut undone) = (Vec::new(), Vec::new());
        let slices: BTreeMap<SliceId, u32> = doubtful.iter().map(|slice| (slice.id, slice.size())).collect();
        let recorded = vfs.meta().recorded_slices(self.ino, &slices).await?;
        for slice in doubtful {
            // Before a slice has a record nobody removes its objects.
            let happened =
                recorded.contains(&slice.id) || !vfs.chunks().is_stored(slice.id, slice.size()).await?;
            let list = if happened { &mut done } else { &mut undone };
            list.push(slice.sequence);
        }
        {
            let mut content = self.content_mut();
            for sequence in undone {
                if let Some(pending) = content.find(sequence) {
                    pending.doubtful = false;
                }
            }
            if done.is_empty() {
                return Ok(());
            }
            content.dropped(&done);
            content.foreign_change = true;
        }
        match self.refresh_attributes(vfs).await {
            // The file is gone; the commit that follows will say so.
            Err(error) if error.kind() == ErrorKind::Stale => Ok(()),
            refreshed => refreshed,
        }
    }
}
