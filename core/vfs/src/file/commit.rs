//! Giving stored slices their records.

use std::collections::BTreeSet;
use std::sync::Arc;

use moorage_meta::{Context, SetAttr};
use moorage_model::{ChunkIndex, Error, ErrorKind, Result, Slice, Timestamp, Verdict};

use super::OpenFile;
use super::pending::PendingSlice;
use super::refused::is_full;
use crate::Vfs;

/// Attributes that somebody sets, other than the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeChange<'c> {
    pub(crate) context: &'c Context,
    pub(crate) change: SetAttr,
}

/// A slice ready for its record.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) slice: Arc<PendingSlice>,
    /// Where readers in this client see it; one that appends may end up elsewhere.
    pub(super) start: u64,
    /// The record; its position has a meaning only for a fixed place.
    pub(super) record: Slice,
}

/// Slices ready for their records, in the order they were begun.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) slices: Vec<Ready>,
    /// They go to the end of the file, which is thought to be here; `None`: each to its place.
    pub(super) end: Option<u64>,
    pub(super) mtime: Timestamp,
    /// The first failure of a slice that is not in the batch.
    failure: Option<Error>,
}

impl OpenFile {
    /// Commits the slices that are stored, in the order they were begun (spec 70-semantics section 7), all in one
    /// transaction. The caller has the turn of commits.
    ///
    /// A slice that could not be stored keeps back later ones of its chunk; with appends all later ones, so that no
    /// write is torn and none overtakes another.
    ///
    /// Says whether `change` was made with them.
    pub(super) async fn commit(
        &self,
        vfs: &Vfs,
        slices: &[Arc<PendingSlice>],
        stored: Vec<Result<u32>>,
        change: Option<&AttributeChange<'_>>,
    ) -> Result<bool> {
        self.drop_doubts(vfs).await?;
        let batch = self.batch(vfs, slices, stored);
        let changed = !batch.slices.is_empty() && self.commit_batch(vfs, &batch, change).await?;
        match batch.failure {
            Some(error) => Err(error),
            None => Ok(changed),
        }
    }

    fn batch(&self, vfs: &Vfs, slices: &[Arc<PendingSlice>], stored: Vec<Result<u32>>) -> Batch {
        let mut batch = Batch::default();
        let mut stuck: BTreeSet<ChunkIndex> = BTreeSet::new();
        let mut empty = Vec::new();
        let mut content = self.content_mut();
        // All slices of one time are of one kind.
        if slices.first().is_some_and(|slice| slice.appends) {
            batch.end = Some(content.attr.length);
        }
        for (slice, result) in slices.iter().zip(stored) {
            let Some(pending) = content.find(slice.sequence) else {
                // Its record was found by `drop_doubts`.
                continue;
            };
            let chunk = pending.chunk();
            let kept_back = match batch.end {
                Some(_) => batch.failure.is_some(),
                None => stuck.contains(&chunk),
            };
            match result {
                Ok(size) if pending.len == 0 => empty.push((slice.sequence, (slice.id, size))),
                Ok(_) if kept_back => {}
                Ok(size) => {
                    let record = Slice {
                        // Below the chunk size, which fits.
                        pos: (pending.start - chunk.start()) as u32,
                        id: slice.id,
                        size,
                        off: 0,
                        len: pending.len,
                    };
                    batch.mtime = batch.mtime.max(pending.mtime);
                    batch.slices.push(Ready {
                        slice: Arc::clone(slice),
                        start: pending.start,
                        record,
                    });
                    // Until the engine has answered.
                    pending.doubtful = true;
                }
                Err(error) => {
                    stuck.insert(chunk);
                    batch.failure.get_or_insert(error);
                }
            }
        }
        content
            .pending
            .retain(|p| !empty.iter().any(|(sequence, _)| *sequence == p.slice.sequence));
        vfs.remove_objects(empty.into_iter().map(|(_, objects)| objects).collect());
        batch
    }

    async fn commit_batch(
        &self,
        vfs: &Vfs,
        batch: &Batch,
        change: Option<&AttributeChange<'_>>,
    ) -> Result<bool> {
        if change.is_some() && batch.end.is_none() && batch.failure.is_none() {
            match self.add_records(vfs, &batch.slices, batch, change).await {
                Ok(()) => return Ok(true),
                // It may be the change that was refused, which must not cost the content.
                Err(error) if error.verdict() == Verdict::Refused => {}
                Err(error) => return self.keep(batch, error),
            }
        }
        match self.add_records(vfs, &batch.slices, batch, None).await {
            Ok(()) => {}
            Err(error) if error.verdict() != Verdict::Refused => return self.keep(batch, error),
            Err(error) if is_full(error.kind()) => self.commit_what_fits(vfs, batch, error).await?,
            Err(error) => self.give_up_batch(vfs, batch, error).await?,
        }
        Ok(false)
    }

    /// Keeps a batch for a later attempt, without a doubt where it is known that nothing was committed.
    fn keep<T>(&self, batch: &Batch, error: Error) -> Result<T> {
        if error.verdict() == Verdict::NotServed {
            let mut content = self.content_mut();
            for ready in &batch.slices {
                if let Some(pending) = content.find(ready.slice.sequence) {
                    pending.doubtful = false;
                }
            }
        }
        Err(error)
    }

    /// Adds the records of some slices of a batch in one transaction, and takes over what is known then.
    pub(super) async fn add_records(
        &self,
        vfs: &Vfs,
        slices: &[Ready],
        batch: &Batch,
        change: Option<&AttributeChange<'_>>,
    ) -> Result<()> {
        let (before, attr, records) = match batch.end {
            Some(end) => {
                let run: Vec<Slice> = slices.iter().map(|ready| ready.record).collect();
                let appended = vfs.meta().append_slices(self.ino, end, &run, batch.mtime).await;
                let outcome = appended.map_err(|error| self.stale_when_gone(error))?;
                (outcome.before, outcome.attr, outcome.records)
            }
            None => {
                let place = |ready: &Ready| {
                    let chunk = ChunkIndex::of(ready.start).ok_or(ErrorKind::FileTooLarge)?;
                    Ok((chunk, ready.record))
                };
                let records: Vec<(ChunkIndex, Slice)> = slices.iter().map(place).collect::<Result<_>>()?;
                let meta = vfs.meta();
                let written = match change {
                    Some(AttributeChange { context, change }) => {
                        meta.write_slices_and_set(context, self.ino, &records, batch.mtime, *change)
                            .await
                    }
                    None => meta.write_slices(self.ino, &records, batch.mtime).await,
                };
                let outcome = written.map_err(|error| self.stale_when_gone(error))?;
                (outcome.before, outcome.attr, records)
            }
        };
        let moved = batch.end.is_some_and(|end| end != before.length);
        let sequences: Vec<u64> = slices.iter().map(|ready| ready.slice.sequence).collect();
        self.content_mut().committed(&sequences, &records, &before, attr);
        if moved {
            // Pages of the kernel show the appended bytes where they were expected to go.
            vfs.notify_content(self.ino);
        }
        Ok(())
    }
}
