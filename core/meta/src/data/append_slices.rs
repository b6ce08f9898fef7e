//! Adding written slices at the end of a file.

use std::sync::Arc;

use moorage_model::{Attr, CHUNK_SIZE, ChunkIndex, Ino, Result, Slice, Timestamp};

use super::change::{chunk_of, inside_chunk, range_end};
use super::slice_records::{Appended, add_records, by_chunk, known_counts, lock_counted};
use super::write_slice::check_slice;
use crate::{Meta, Txn};

/// A file after an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendOutcome {
    /// Attributes as the commit found them; the first slice begins at their length.
    pub before: Attr,
    /// Attributes as stored.
    pub attr: Attr,
    /// The records as stored, in order. A slice that passes the end of a chunk has two.
    pub records: Vec<(ChunkIndex, Slice)>,
}

impl Meta {
    /// Adds slices whose blocks are stored behind the end that the file has at the commit, one after the other, in one
    /// transaction: so nothing that another client had committed by then is painted over, and nothing lies between
    /// them. The positions of `slices` have no meaning. Times as with [`Meta::write_slices`].
    ///
    /// `expected` is where the file ends as far as the caller knows; a wrong one costs at most a round trip.
    ///
    /// Read set: the node, and chunks whose record count is not known. Write set: chunks, slice references, node,
    /// usage. Round trips: one read, one commit; one read more when the file ends in another chunk than expected.
    ///
    /// # Errors
    /// As [`Meta::write_slices`]. After failures of the engine the slices may have been added: only
    /// [`Meta::recorded_slices`] tells.
    ///
    /// # Cancel safety
    /// Dropping the future may leave all slices added or none.
    pub async fn append_slices(
        &self,
        ino: Ino,
        expected: u64,
        slices: &[Slice],
        mtime: Timestamp,
    ) -> Result<AppendOutcome> {
        for slice in slices {
            // Each alone would fit at the start of a chunk.
            check_slice(ChunkIndex(0), &Slice { pos: 0, ..*slice })?;
        }
        let slices: Arc<[Slice]> = slices.into();
        self.sync_before_commit().await?;
        let (outcome, counts) = {
            let _turn = self.barrier.commit_turn().await;
            self.transact("append", move |meta, txn| {
                let slices = Arc::clone(&slices);
                Box::pin(async move { append(meta, txn, (ino, expected), &slices, mtime).await })
            })
            .await?
        };
        self.note_appended(ino, &counts).await;
        Ok(outcome)
    }
}

async fn append(
    meta: &Meta,
    txn: &mut dyn Txn,
    (ino, expected): (Ino, u64),
    slices: &[Slice],
    mtime: Timestamp,
) -> Result<(AppendOutcome, Vec<Appended>)> {
    // An end beyond the format's limit can only be a wrong guess.
    let guessed = placed(expected, slices).unwrap_or_default();
    let mut records = by_chunk(&guessed);
    let mut counts = known_counts(meta, ino, &records);
    let before = lock_counted(txn, ino, &mut counts).await?;
    let mut found = guessed;
    if before.length != expected {
        found = placed(before.length, slices)?;
        let moved = by_chunk(&found);
        if !moved.keys().eq(records.keys()) {
            counts = known_counts(meta, ino, &moved);
            lock_counted(txn, ino, &mut counts).await?;
        }
        records = moved;
    }
    let length = before.length + slices.iter().map(|slice| u64::from(slice.len)).sum::<u64>();
    let place = (&records, counts.as_slice());
    let attr = add_records(meta, txn, (ino, &before), place, (length, mtime)).await?;
    let outcome = AppendOutcome {
        before,
        attr,
        records: found,
    };
    Ok((outcome, counts))
}

/// The records that show slices one after the other from `end` on.
///
/// # Errors
/// `FileTooLarge`.
fn placed(end: u64, slices: &[Slice]) -> Result<Vec<(ChunkIndex, Slice)>> {
    let mut records = Vec::with_capacity(slices.len() + 1);
    let mut at = end;
    for slice in slices {
        let stop = range_end(at, u64::from(slice.len))?;
        let mut off = slice.off;
        while at < stop {
            // At most a chunk, which fits.
            let len = (CHUNK_SIZE - at % CHUNK_SIZE).min(stop - at) as u32;
            let pos = inside_chunk(at);
            records.push((
                chunk_of(at)?,
                Slice {
                    pos,
                    off,
                    len,
                    ..*slice
                },
            ));
            at += u64::from(len);
            off += len;
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use moorage_model::SliceId;

    use super::*;

    #[test]
    fn a_slice_that_passes_the_end_of_a_chunk_has_a_record_on_each_side() {
        let slice = |id| Slice {
            pos: 0,
            id: SliceId(id),
            size: 120,
            off: 10,
            len: 100,
        };
        let found = placed(CHUNK_SIZE - 130, &[slice(1), slice(2)]).unwrap();
        let plain: Vec<_> = found
            .iter()
            .map(|(chunk, s)| (chunk.0, u64::from(s.pos), s.id.0, s.off, s.len))
            .collect();
        assert_eq!(
            plain,
            [
                (0, CHUNK_SIZE - 130, 1, 10, 100),
                (0, CHUNK_SIZE - 30, 2, 10, 30),
                (1, 0, 2, 40, 70),
            ]
        );
    }
}
