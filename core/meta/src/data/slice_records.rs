//! Adding the records of new slices to a file: what [`Meta::write_slices`] and [`Meta::append_slices`] share.

use std::collections::BTreeMap;

use moorage_model::{Attr, ChunkIndex, ErrorKind, Ino, Result, Slice, SliceId, Timestamp};

use super::change::{put_content_change, touch_content};
use crate::{Key, Meta, Txn};

/// New records by the chunk that they go to, oldest first.
pub(super) type ByChunk = BTreeMap<ChunkIndex, Vec<Slice>>;

/// Records appended to one chunk, and how many it had before; `exact` when they were read now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appended {
    chunk: ChunkIndex,
    before: u32,
    added: u32,
    exact: bool,
}

/// Records by chunk, in order.
pub(super) fn by_chunk(records: &[(ChunkIndex, Slice)]) -> ByChunk {
    let mut found = ByChunk::new();
    for (chunk, slice) in records {
        found.entry(*chunk).or_default().push(*slice);
    }
    found
}

/// What is known of the chunks without reading them.
pub(super) fn known_counts(meta: &Meta, ino: Ino, records: &ByChunk) -> Vec<Appended> {
    let known = |(chunk, slices): (&ChunkIndex, &Vec<Slice>)| {
        let known = meta.slice_counts.get(ino, *chunk);
        Appended {
            chunk: *chunk,
            before: known.unwrap_or(0),
            added: u32::try_from(slices.len()).unwrap_or(u32::MAX),
            exact: known.is_none(),
        }
    };
    records.iter().map(known).collect()
}

/// Locks the file, and reads the chunks whose record count is not known. One round trip.
///
/// # Errors
/// `NotFound` when the file is gone, `NotPermitted` when it is none.
pub(super) async fn lock_counted(txn: &mut dyn Txn, ino: Ino, counts: &mut [Appended]) -> Result<Attr> {
    let mut keys = vec![Key::Node(ino)];
    let unknown = counts.iter().filter(|count| count.exact);
    keys.extend(unknown.map(|count| Key::Chunk(ino, count.chunk)));
    let mut found = txn.get_locked(&keys).await?;
    let attr = found.node()?.ok_or(ErrorKind::NotFound)?;
    if !attr.is_file() {
        return Err(ErrorKind::NotPermitted.into());
    }
    for count in counts.iter_mut().filter(|count| count.exact) {
        count.before = u32::try_from(found.chunk()?.unwrap_or_default().len()).unwrap_or(u32::MAX);
    }
    Ok(attr)
}

/// Appends the records to their chunks and gives the file its new length and times. Returns the attributes as stored.
///
/// # Errors
/// `NoSpace`, `QuotaExceeded`.
pub(super) async fn add_records(
    meta: &Meta,
    txn: &mut dyn Txn,
    (ino, before): (Ino, &Attr),
    (records, counts): (&ByChunk, &[Appended]),
    (length, mtime): (u64, Timestamp),
) -> Result<Attr> {
    let mut after = before.clone();
    after.length = before.length.max(length);
    touch_content(&mut after, mtime, meta.now());
    put_content_change(meta, txn, ino, before, &after).await?;
    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for (slices, known) in records.values().zip(counts) {
        txn.append_slices(ino, known.chunk, slices);
        let mut count = known.before;
        for slice in slices {
            *owners.entry((slice.id, slice.size)).or_default() += 1;
            count = count.saturating_add(1);
            let chunk = known.chunk;
            let Timestamp { seconds, nanoseconds } = after.mtime;
            meta.log(txn, || {
                let Slice { pos, id, len, .. } = *slice;
                format!("WRITE({ino},{chunk},{pos},{id},{len},{seconds},{nanoseconds}):{count}")
            });
        }
    }
    for ((id, size), records) in owners {
        txn.new_slice(id, size);
        if records > 1 {
            txn.add_owners(id, size, records - 1);
        }
    }
    Ok(after)
}

impl Meta {
    /// Notes committed records, and begins the compaction of chunks that have many. Returns the largest count.
    pub(super) async fn note_appended(&self, ino: Ino, counts: &[Appended]) -> u32 {
        let mut most = 0;
        for count in counts {
            let records = count.before.saturating_add(count.added);
            self.slice_counts
                .appended(ino, count.chunk, count.before, count.added, count.exact);
            most = most.max(records);
            self.compact_after_write(ino, count.chunk, records).await;
        }
        most
    }
}
