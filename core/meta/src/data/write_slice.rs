//! Adding written slices to a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use moorage_model::{
    Attr, CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Ino, MAX_FILE_LENGTH, Result, Slice, SliceId, Timestamp,
};

use super::change::{put_content_change, touch_content};
use crate::{Key, Meta, Txn};

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

/// Records appended to one chunk, and how many it had before; `exact` when they were read now.
#[derive(Clone, Copy, Debug)]
struct Appended {
    chunk: ChunkIndex,
    before: u32,
    added: u32,
    exact: bool,
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
        let mut length = 0;
        for (chunk, slice) in slices {
            length = length.max(check_slice(*chunk, slice)?);
        }
        let mut by_chunk: BTreeMap<ChunkIndex, Vec<Slice>> = BTreeMap::new();
        for (chunk, slice) in slices {
            by_chunk.entry(*chunk).or_default().push(*slice);
        }
        let by_chunk = Arc::new(by_chunk);
        self.sync_before_commit().await?;
        let (before, attr, appended) = {
            let _turn = self.barrier.commit_turn().await;
            self.transact("write", move |meta, txn| {
                let by_chunk = Arc::clone(&by_chunk);
                Box::pin(async move { append(meta, txn, ino, &by_chunk, length, mtime).await })
            })
            .await?
        };
        let mut slices_in_chunk = 0;
        for Appended {
            chunk,
            before: records,
            added,
            exact,
        } in appended
        {
            self.slice_counts.appended(ino, chunk, records, added, exact);
            slices_in_chunk = slices_in_chunk.max(records.saturating_add(added));
            self.compact_after_write(ino, chunk, records.saturating_add(added))
                .await;
        }
        Ok(WriteOutcome {
            before,
            attr,
            slices_in_chunk,
        })
    }
}

/// The end of a slice in its file.
fn check_slice(chunk: ChunkIndex, slice: &Slice) -> Result<u64> {
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

async fn append(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    by_chunk: &BTreeMap<ChunkIndex, Vec<Slice>>,
    length: u64,
    mtime: Timestamp,
) -> Result<(Attr, Attr, Vec<Appended>)> {
    let mut keys = vec![Key::Node(ino)];
    let mut appended = Vec::with_capacity(by_chunk.len());
    for (chunk, slices) in by_chunk {
        let known = meta.slice_counts.get(ino, *chunk);
        if known.is_none() {
            keys.push(Key::Chunk(ino, *chunk));
        }
        let added = u32::try_from(slices.len()).unwrap_or(u32::MAX);
        appended.push(Appended {
            chunk: *chunk,
            before: known.unwrap_or(0),
            added,
            exact: known.is_none(),
        });
    }
    let mut found = txn.get_locked(&keys).await?;
    let before = found.node()?.ok_or(ErrorKind::NotFound)?;
    if !before.is_file() {
        return Err(ErrorKind::NotPermitted.into());
    }
    for chunk in appended.iter_mut().filter(|chunk| chunk.exact) {
        chunk.before = u32::try_from(found.chunk()?.unwrap_or_default().len()).unwrap_or(u32::MAX);
    }
    let mut after = before.clone();
    after.length = before.length.max(length);
    touch_content(&mut after, mtime, meta.now());
    put_content_change(meta, txn, ino, &before, &after).await?;
    for (slices, known) in by_chunk.values().zip(&appended) {
        txn.append_slices(ino, known.chunk, slices);
        let mut records = known.before;
        for slice in slices {
            txn.new_slice(slice.id, slice.size);
            records = records.saturating_add(1);
            let chunk = known.chunk;
            let Timestamp { seconds, nanoseconds } = after.mtime;
            meta.log(txn, || {
                let Slice { pos, id, len, .. } = *slice;
                format!("WRITE({ino},{chunk},{pos},{id},{len},{seconds},{nanoseconds}):{records}")
            });
        }
    }
    Ok((before, after, appended))
}
