//! Adding written slices to a file.

use std::sync::Arc;

use moorage_model::{
    Attr, CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Ino, MAX_FILE_LENGTH, Result, Slice, SliceId, Timestamp,
};

use super::slice_records::{Appended, ByChunk, add_records, by_chunk, known_counts, lock_counted};
use crate::verbs::change_node;
use crate::{Context, Meta, SetAttr, Txn};

/// A file after a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOutcome {
    /// Attributes as the commit found them: they tell whether another client changed the file meanwhile.
    pub before: Attr,
    /// Attributes as stored.
    pub attr: Attr,
    /// Records of the written chunk that has most, as far as this client knows.
    pub slices_in_chunk: u32,
}

impl Meta {
    /// Adds a slice whose blocks are stored to a chunk of a file. See [`Meta::write_slices`].
    ///
    /// # Errors
    /// See [`Meta::write_slices`].
    pub async fn write_slice(
        &self,
        ino: Ino,
        chunk: ChunkIndex,
        slice: Slice,
        mtime: Timestamp,
    ) -> Result<WriteOutcome> {
        self.write_slices(ino, &[(chunk, slice)], mtime).await
    }

    /// Adds slices whose blocks are stored to one file, in order, in one transaction: records appended, length
    /// raised to the furthest end, mtime as given (moved by 1 ns when it would not change), ctime now
    /// (spec 70-semantics section 7).
    ///
    /// Read set: the node, and chunks whose record count is not known. Write set: chunks, slice references, node,
    /// usage. Round trips: one read, one commit.
    ///
    /// # Errors
    /// `NotFound` when the file is gone, `NotPermitted` when it is none, `NoSpace` and `QuotaExceeded`,
    /// `FileTooLarge`, `InvalidArgument` for a slice that leaves its chunk or is a hole. After one of these the
    /// slices belong to nobody and the caller deletes them. After `Unavailable`, `Timeout` and other failures of the
    /// engine they may have been added: only [`Meta::read_slices`] tells.
    ///
    /// # Cancel safety
    /// Dropping the future may leave all slices added or none.
    pub async fn write_slices(
        &self,
        ino: Ino,
        slices: &[(ChunkIndex, Slice)],
        mtime: Timestamp,
    ) -> Result<WriteOutcome> {
        self.write(ino, slices, mtime, None).await
    }

    /// As [`Meta::write_slices`] and then [`Meta::setattr`], in one transaction; for changes without a size.
    ///
    /// # Errors
    /// Those of both; nothing was written then.
    ///
    /// # Cancel safety
    /// Dropping the future may leave everything done or nothing.
    pub async fn write_slices_and_set(
        &self,
        context: &Context,
        ino: Ino,
        slices: &[(ChunkIndex, Slice)],
        mtime: Timestamp,
        change: SetAttr,
    ) -> Result<WriteOutcome> {
        let change = Some(Arc::new((context.clone(), change)));
        self.write(ino, slices, mtime, change).await
    }

    async fn write(
        &self,
        ino: Ino,
        slices: &[(ChunkIndex, Slice)],
        mtime: Timestamp,
        change: Option<Arc<(Context, SetAttr)>>,
    ) -> Result<WriteOutcome> {
        let mut length = 0;
        for (chunk, slice) in slices {
            length = length.max(check_slice(*chunk, slice)?);
        }
        let records = Arc::new(by_chunk(slices));
        self.sync_before_commit().await?;
        let (before, attr, counts) = {
            let _turn = self.barrier.commit_turn().await;
            self.transact("write", move |meta, txn| {
                let (records, change) = (Arc::clone(&records), change.clone());
                Box::pin(async move {
                    let (before, mut attr, counts) = write(meta, txn, ino, &records, (length, mtime)).await?;
                    if let Some((context, change)) = change.as_deref() {
                        attr = change_node(meta, txn, context, ino, attr, *change).await?;
                    }
                    Ok((before, attr, counts))
                })
            })
            .await?
        };
        Ok(WriteOutcome {
            before,
            attr,
            slices_in_chunk: self.note_appended(ino, &counts).await,
        })
    }
}

/// The end of a slice in its file.
pub(super) fn check_slice(chunk: ChunkIndex, slice: &Slice) -> Result<u64> {
    let used = u64::from(slice.pos) + u64::from(slice.len);
    let inside = used <= CHUNK_SIZE && u64::from(slice.off) + u64::from(slice.len) <= u64::from(slice.size);
    if slice.id == SliceId::HOLE || slice.len == 0 || !inside {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{slice:?} can not be added to a chunk"),
        ));
    }
    let end = chunk.start() + used;
    if end >= MAX_FILE_LENGTH {
        Err(ErrorKind::FileTooLarge.into())
    } else {
        Ok(end)
    }
}

async fn write(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    records: &ByChunk,
    content: (u64, Timestamp),
) -> Result<(Attr, Attr, Vec<Appended>)> {
    let mut counts = known_counts(meta, ino, records);
    let before = lock_counted(txn, ino, &mut counts).await?;
    let after = add_records(meta, txn, (ino, &before), (records, &counts), content).await?;
    Ok((before, after, counts))
}
