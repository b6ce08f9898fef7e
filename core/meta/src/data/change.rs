//! What every change of a file's content has in common.

use moorage_model::{
    Attr, CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Flags, Ino, MAX_FILE_LENGTH, NodeType, Result, Slice,
    Timestamp,
};

use crate::{Key, Meta, Record, Scan, Txn};

/// Chunks read per page when the existing chunks of a range are wanted.
const CHUNK_PAGE: usize = 1000;

/// Locks a regular file for a change of its content.
///
/// # Errors
/// `NotFound` when the node is gone, `IsDirectory`, `BrokenPipe` for a FIFO, `NotPermitted` for other kinds.
pub(super) async fn lock_file(txn: &mut dyn Txn, ino: Ino) -> Result<Attr> {
    let attr = txn.lock_node(ino).await?.ok_or(ErrorKind::NotFound)?;
    check_regular(&attr)?;
    Ok(attr)
}

/// Whether content can be changed at all.
pub(super) fn check_regular(attr: &Attr) -> Result<()> {
    match attr.kind {
        NodeType::File => Ok(()),
        NodeType::Directory => Err(ErrorKind::IsDirectory.into()),
        NodeType::Fifo => Err(ErrorKind::BrokenPipe.into()),
        _ => Err(ErrorKind::NotPermitted.into()),
    }
}

/// Refuses a change that overwrites on immutable and append-only files.
pub(super) fn check_overwritable(attr: &Attr) -> Result<()> {
    if attr.flags.intersects(Flags::IMMUTABLE | Flags::APPEND) {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}

/// The end of a range of bytes.
///
/// # Errors
/// `FileTooLarge` at and beyond 2^57 (spec 70-semantics section 7, limits).
pub(super) fn range_end(offset: u64, size: u64) -> Result<u64> {
    offset
        .checked_add(size)
        .filter(|end| *end < MAX_FILE_LENGTH)
        .ok_or_else(|| ErrorKind::FileTooLarge.into())
}

/// The chunk that holds an offset.
pub(super) fn chunk_of(offset: u64) -> Result<ChunkIndex> {
    ChunkIndex::of(offset).ok_or_else(|| Error::from(ErrorKind::FileTooLarge))
}

/// Offset inside its chunk.
pub(super) fn inside_chunk(offset: u64) -> u32 {
    // Below 2^26, so it always fits.
    (offset % CHUNK_SIZE) as u32
}

/// Sets the times of a change of content. The modification time always changes, because other clients
/// compare it to validate cached slice lists (spec 70-semantics section 5).
pub(crate) fn touch_content(attr: &mut Attr, mtime: Timestamp, now: Timestamp) {
    let before = attr.mtime;
    attr.mtime = mtime;
    if before == mtime {
        attr.mtime = match mtime.nanoseconds {
            999_999_999 => Timestamp::new(mtime.seconds + 1, 0),
            nanoseconds => Timestamp::new(mtime.seconds, nanoseconds + 1),
        };
    }
    attr.ctime = now;
}

/// Stores new length and times, with usage, statistics and quotas of the difference.
///
/// # Errors
/// `NoSpace` or `QuotaExceeded` when the file grows beyond a limit.
pub(super) async fn put_content_change(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    before: &Attr,
    after: &Attr,
) -> Result<()> {
    if before.length != after.length {
        meta.account_length(txn, ino, before, after.length).await?;
    }
    txn.put(Key::Node(ino), Record::Node(after.clone()));
    Ok(())
}

/// Appends hole records over `start..end` of a file whose node is locked: always in the chunks of the ends,
/// between them only where a chunk has records (spec 70-semantics section 7, truncate).
pub(super) async fn append_holes(txn: &mut dyn Txn, ino: Ino, start: u64, end: u64) -> Result<()> {
    if start >= end {
        return Ok(());
    }
    let (first, last) = (chunk_of(start)?, chunk_of(end)?);
    let pos = inside_chunk(start);
    if first == last {
        txn.append_slices(ino, first, &[Slice::hole(pos, inside_chunk(end) - pos)]);
        return Ok(());
    }
    // A chunk holds 2^26 bytes, which fit.
    let whole = CHUNK_SIZE as u32;
    txn.append_slices(ino, first, &[Slice::hole(pos, whole - pos)]);
    for chunk in existing_chunks(txn, ino, first, last).await? {
        txn.append_slices(ino, chunk, &[Slice::hole(0, whole)]);
    }
    if inside_chunk(end) > 0 {
        txn.append_slices(ino, last, &[Slice::hole(0, inside_chunk(end))]);
    }
    Ok(())
}

/// Chunks strictly between two others that have records.
async fn existing_chunks(
    txn: &dyn Txn,
    ino: Ino,
    after: ChunkIndex,
    before: ChunkIndex,
) -> Result<Vec<ChunkIndex>> {
    let mut found = Vec::new();
    if before.0 - after.0 < 2 {
        return Ok(found);
    }
    let mut last = Key::Chunk(ino, after);
    loop {
        let page = txn.scan(&Scan::Chunks(ino), Some(&last), CHUNK_PAGE).await?;
        let Some((end, _)) = page.items.last() else {
            return Ok(found);
        };
        last = end.clone();
        for (key, _) in page.items {
            match key {
                Key::Chunk(_, chunk) if chunk < before => found.push(chunk),
                _ => return Ok(found),
            }
        }
        if !page.more {
            return Ok(found);
        }
    }
}
