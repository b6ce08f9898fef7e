//! Copying a range between files by sharing slices.

use std::collections::BTreeMap;

use moorage_model::{Attr, CHUNK_SIZE, ChunkIndex, ErrorKind, Ino, Result, Segment, Slice, SliceId, resolve};

use super::change::{
    check_overwritable, check_regular, chunk_of, inside_chunk, put_content_change, range_end, touch_content,
};
use crate::verbs::mode_after_write;
use crate::{Context, Key, Meta, Records, Txn};

/// Source chunks copied by one call; a longer range is copied in part, as copy_file_range(2) allows. 8 GiB.
const MAX_SOURCE_CHUNKS: u64 = 128;

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOutcome {
    /// Bytes copied; less than asked for at the end of the source or of one call's limit.
    pub copied: u64,
    /// Length of the destination afterwards, bytes.
    pub length: u64,
    /// Attributes of the destination afterwards.
    pub attr: Attr,
}

/// Source, destination and size of a copy, in bytes.
#[derive(Clone, Copy, Debug)]
struct Range {
    source: Ino,
    source_offset: u64,
    destination: Ino,
    destination_offset: u64,
    size: u64,
}

impl Meta {
    /// Copies bytes between two files, or inside one, without moving data: the visible slices of the source get
    /// one more owner each (spec 70-semantics section 7). The range is clipped to the source's length. Unwritten
    /// parts are copied as holes. Times of the destination become now, and its set-id bits go unless root asks.
    ///
    /// Read set: both nodes and the source chunks. Write set: destination chunks and node, slice references, usage.
    ///
    /// # Errors
    /// `InvalidArgument` for overlapping ranges of one file, `NotPermitted` when either is no regular file or the
    /// destination is immutable or append-only, `FileTooLarge`, `NoSpace`, `QuotaExceeded`, `NotFound`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the range copied or not.
    pub async fn copy_file_range(
        &self,
        ctx: &Context,
        source: Ino,
        source_offset: u64,
        destination: Ino,
        destination_offset: u64,
        size: u64,
    ) -> Result<CopyOutcome> {
        range_end(source_offset, size)?;
        range_end(destination_offset, size)?;
        let range = Range {
            source,
            source_offset,
            destination,
            destination_offset,
            size,
        };
        if source == destination && source_offset.abs_diff(destination_offset) < size {
            return Err(ErrorKind::InvalidArgument.into());
        }
        let ctx = ctx.clone();
        self.transact("copy_file_range", move |meta, txn| {
            let ctx = ctx.clone();
            Box::pin(async move { copy(meta, txn, &ctx, range).await })
        })
        .await
    }
}

async fn copy(meta: &Meta, txn: &mut dyn Txn, ctx: &Context, mut range: Range) -> Result<CopyOutcome> {
    let mut nodes = txn
        .get_locked(&[Key::Node(range.source), Key::Node(range.destination)])
        .await?;
    let source = nodes.node()?.ok_or(ErrorKind::NotFound)?;
    let before = nodes.node()?.ok_or(ErrorKind::NotFound)?;
    check_regular(&source)?;
    check_regular(&before)?;
    check_overwritable(&before)?;
    range.size = range.size.min(source.length.saturating_sub(range.source_offset));
    let first = chunk_of(range.source_offset)?;
    let limit = (u64::from(first.0) + MAX_SOURCE_CHUNKS) * CHUNK_SIZE;
    range.size = range.size.min(limit - range.source_offset);
    if range.size == 0 {
        return Ok(CopyOutcome {
            copied: 0,
            length: before.length,
            attr: before,
        });
    }
    let end = range.source_offset + range.size;
    let last = chunk_of(end - 1)?;
    let keys: Vec<Key> = (first.0..=last.0)
        .map(|n| Key::Chunk(range.source, ChunkIndex(n)))
        .collect();
    let mut chunks = txn.get_locked(&keys).await?;
    let pieces = pieces(&mut chunks, first, last, range)?;

    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for slice in pieces
        .values()
        .flatten()
        .filter(|slice| slice.id != SliceId::HOLE)
    {
        *owners.entry((slice.id, slice.size)).or_default() += 1;
    }
    let now = meta.now();
    let mut after = before.clone();
    after.length = before.length.max(range.destination_offset + range.size);
    after.mode = mode_after_write(ctx, &before);
    touch_content(&mut after, now, now);
    put_content_change(meta, txn, range.destination, &before, &after).await?;
    for (chunk, slices) in &pieces {
        txn.append_slices(range.destination, *chunk, slices);
    }
    for ((id, size), added) in owners {
        txn.add_owners(id, size, added);
    }
    meta.log(txn, || {
        let Range {
            source,
            source_offset,
            destination,
            destination_offset,
            size,
        } = range;
        let length = after.length;
        format!("COPYFILERANGE({source},{source_offset},{destination},{destination_offset},{size}):{length}")
    });
    Ok(CopyOutcome {
        copied: range.size,
        length: after.length,
        attr: after,
    })
}

/// Records for the destination by chunk: the visible pieces of the source over a hole that fills each chunk.
fn pieces(
    chunks: &mut Records,
    first: ChunkIndex,
    last: ChunkIndex,
    range: Range,
) -> Result<BTreeMap<ChunkIndex, Vec<Slice>>> {
    // A chunk holds 2^26 bytes, which fit.
    let whole = CHUNK_SIZE as u32;
    let end = range.source_offset + range.size;
    let mut out: BTreeMap<ChunkIndex, Vec<Slice>> = BTreeMap::new();
    for index in (first.0..=last.0).map(ChunkIndex) {
        let mut painted = vec![Slice::hole(0, whole)];
        painted.extend(chunks.chunk()?.unwrap_or_default());
        for segment in resolve(&painted) {
            let start = (index.start() + u64::from(segment.pos)).max(range.source_offset);
            let stop = (index.start() + u64::from(segment.pos) + u64::from(segment.len)).min(end);
            let mut from = start;
            while from < stop {
                let to = from - range.source_offset + range.destination_offset;
                let room = CHUNK_SIZE - to % CHUNK_SIZE;
                let len = room.min(stop - from);
                out.entry(chunk_of(to)?)
                    .or_default()
                    .push(part(&segment, index, from, to, len));
                from += len;
            }
        }
    }
    Ok(out)
}

/// The record that shows `len` bytes of a segment, from file offset `from`, at file offset `to`.
fn part(segment: &Segment, chunk: ChunkIndex, from: u64, to: u64, len: u64) -> Slice {
    // All four are bounded by the chunk size.
    let cut = (from - chunk.start()) as u32 - segment.pos;
    let (pos, len) = (inside_chunk(to), len as u32);
    match segment.id {
        SliceId::HOLE => Slice::hole(pos, len),
        id => Slice {
            pos,
            id,
            size: segment.size,
            off: segment.off + cut,
            len,
        },
    }
}
