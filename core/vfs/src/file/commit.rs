//! Giving stored slices their records.

use std::collections::BTreeSet;
use std::sync::Arc;

use moorage_model::{ChunkIndex, Error, ErrorKind, Result, Slice, SliceId, Timestamp};

use super::OpenFile;
use super::pending::PendingSlice;
use super::refused::is_full;
use crate::Vfs;

/// Slices ready for their records.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<(u64, ChunkIndex, Slice)>,
    pub(super) slices: Vec<Arc<PendingSlice>>,
    pub(super) mtime: Timestamp,
    /// The first failure of a slice that is not in the batch.
    failure: Option<Error>,
}

impl OpenFile {
    /// Commits the slices that are stored, those of one chunk in the order they were begun (spec 70-semantics
    /// section 7), all in one transaction. The caller has the turn of commits.
    pub(super) async fn commit(
        &self,
        vfs: &Vfs,
        slices: &[Arc<PendingSlice>],
        stored: Vec<Result<Slice>>,
    ) -> Result<()> {
        self.drop_doubts(vfs).await?;
        let batch = self.batch(slices, stored);
        if !batch.records.is_empty() {
            self.write_records(vfs, &batch).await?;
        }
        match batch.failure {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn batch(&self, slices: &[Arc<PendingSlice>], stored: Vec<Result<Slice>>) -> Batch {
        let mut batch = Batch::default();
        let mut stuck: BTreeSet<ChunkIndex> = BTreeSet::new();
        let mut empty = Vec::new();
        let mut content = self.content_mut();
        for (slice, result) in slices.iter().zip(stored) {
            let Some(pending) = content.find(slice.sequence) else {
                // Its record was found by `drop_doubts`.
                continue;
            };
            match result {
                Ok(record) if record.len == 0 => empty.push(slice.sequence),
                Ok(record) if !stuck.contains(&slice.chunk) => {
                    batch.mtime = batch.mtime.max(pending.mtime);
                    batch.records.push((slice.sequence, slice.chunk, record));
                    batch.slices.push(Arc::clone(slice));
                    // Until the engine has answered.
                    pending.doubtful = true;
                }
                Ok(_) => {}
                Err(error) => {
                    stuck.insert(slice.chunk);
                    batch.failure.get_or_insert(error);
                }
            }
        }
        content.pending.retain(|p| !empty.contains(&p.slice.sequence));
        batch
    }

    async fn write_records(&self, vfs: &Vfs, batch: &Batch) -> Result<()> {
        let list: Vec<(ChunkIndex, Slice)> = batch
            .records
            .iter()
            .map(|(_, chunk, slice)| (*chunk, *slice))
            .collect();
        match vfs.meta().write_slices(self.ino, &list, batch.mtime).await {
            Ok(outcome) => {
                self.content_mut()
                    .committed(&batch.records, &outcome.before, outcome.attr);
                Ok(())
            }
            Err(error) if is_full(error.kind()) => self.commit_what_fits(vfs, batch, error).await,
            Err(error) if is_final(error.kind()) => {
                self.give_up_batch(vfs, batch, error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out whether commits that ended without an answer did happen: by the slice ids in the chunk's list.
    async fn drop_doubts(&self, vfs: &Vfs) -> Result<()> {
        let doubtful: Vec<(u64, ChunkIndex, SliceId)> = {
            let content = self.content();
            let found = content.pending.iter().filter(|p| p.doubtful);
            found
                .map(|p| (p.slice.sequence, p.slice.chunk, p.slice.id))
                .collect()
        };
        for (sequence, chunk, id) in doubtful {
            let happened = match vfs.meta().read_slices(self.ino, chunk).await {
                Ok(slices) => slices.iter().any(|slice| slice.id == id),
                // The file is gone; the commit that follows will say so.
                Err(error) if error.kind() == ErrorKind::BadHandle => false,
                Err(error) => return Err(error),
            };
            let mut content = self.content_mut();
            if happened {
                content.dropped(&[sequence]);
                content.foreign_change = true;
            } else if let Some(pending) = content.find(sequence) {
                pending.doubtful = false;
            }
        }
        Ok(())
    }
}

/// Whether a commit was refused for good: nothing was written, and trying again would be refused again.
fn is_final(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotPermitted
            | ErrorKind::FileTooLarge
            | ErrorKind::InvalidArgument
            | ErrorKind::ReadOnly
            | ErrorKind::IsDirectory
    )
}
