//! What becomes of slices that a full volume or an exhausted quota refuses.

use std::sync::Arc;

use moorage_meta::Unrecorded;
use moorage_model::{Error, ErrorKind, Result, Slice, Verdict};

use super::OpenFile;
use super::commit::{Batch, Ready};
use super::pending::PendingSlice;
use crate::Vfs;

/// Commits tried with what room there was just before; other clients may be faster every time.
const ATTEMPTS: usize = 3;

/// A batch cut at a length of the file.
struct Cut {
    kept: Vec<Ready>,
    /// Slices of which nothing is left.
    lost: Vec<Arc<PendingSlice>>,
    /// Something was cut off.
    cuts: bool,
}

impl OpenFile {
    /// Commits of a refused batch what there is room for, up to the byte: every slice up to the length that the limits
    /// allow, in order, in one transaction. The rest is given up for the reason of the refusal.
    ///
    /// Costs what [`moorage_meta::Meta::length_limit`] costs and the commit.
    ///
    /// # Errors
    /// What the engine answers, and the refusal when no limit explains it any more. Then everything is kept for a later
    /// attempt, and `refusal` may have been noted as a loss that is none yet.
    pub(super) async fn commit_what_fits(&self, vfs: &Vfs, batch: &Batch, refusal: Error) -> Result<()> {
        let mut within_limits = true;
        for attempt in 1..=ATTEMPTS {
            if attempt == ATTEMPTS && within_limits {
                return Err(refusal);
            }
            let limit = match vfs.meta().length_limit(self.ino, &Unrecorded::default()).await {
                // Appends begin at the end that the file has now.
                Ok(Some(limit)) if attempt < ATTEMPTS => match batch.end {
                    Some(end) => end.saturating_add(limit.length.saturating_sub(limit.from)),
                    None => limit.length,
                },
                Ok(None) if attempt < ATTEMPTS => u64::MAX,
                // At least what is written over needs no room.
                Ok(_) => batch.end.unwrap_or_else(|| self.content().attr.length),
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            let cut = cut_at(limit, batch);
            within_limits &= !cut.cuts;
            if cut.kept.is_empty() {
                break;
            }
            match self.add_records(vfs, &cut.kept, batch, None).await {
                Ok(()) => {
                    if cut.cuts {
                        tracing::warn!(%refusal, inode = self.ino.0, "written data is given up beyond {limit} bytes");
                        vfs.remove_objects(self.give_up(&cut.lost, refusal));
                    }
                    return Ok(());
                }
                Err(error) if error.verdict() == Verdict::Refused && is_full(error.kind()) => {}
                Err(error) => {
                    if cut.cuts {
                        // When the commit turns out to have happened, nobody will know of what was cut off.
                        self.content_mut().losses.add(refusal);
                    }
                    return Err(error);
                }
            }
        }
        self.give_up_batch(vfs, batch, refusal).await
    }

    /// Gives up all slices of a batch.
    ///
    /// # Errors
    /// That the database does not hold the volume, so that its refusal tells nothing: then all are kept.
    pub(super) async fn give_up_batch(&self, vfs: &Vfs, batch: &Batch, error: Error) -> Result<()> {
        vfs.meta().check_presence().await?;
        tracing::warn!(%error, inode = self.ino.0, "written data is given up");
        let slices: Vec<Arc<PendingSlice>> = batch
            .slices
            .iter()
            .map(|ready| Arc::clone(&ready.slice))
            .collect();
        vfs.remove_objects(self.give_up(&slices, error));
        Ok(())
    }
}

/// Whether a commit was refused for want of room.
pub(super) fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NoSpace | ErrorKind::QuotaExceeded)
}

fn cut_at(length: u64, batch: &Batch) -> Cut {
    let mut cut = Cut {
        kept: Vec::new(),
        lost: Vec::new(),
        cuts: false,
    };
    for ready in &batch.slices {
        let room = u32::try_from(length.saturating_sub(ready.start)).unwrap_or(u32::MAX);
        let len = ready.record.len.min(room);
        cut.cuts |= len < ready.record.len;
        if len == 0 {
            cut.lost.push(Arc::clone(&ready.slice));
        } else {
            // The blocks behind stay part of the slice, and go with it.
            let record = Slice { len, ..ready.record };
            cut.kept.push(Ready {
                record,
                ..ready.clone()
            });
        }
    }
    cut
}
