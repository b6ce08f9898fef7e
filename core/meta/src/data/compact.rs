//! Replacing a run of slice records by one new slice (spec 20-model section 8).

use std::sync::Arc;

use moorage_model::{
    CHUNK_SIZE, ChunkIndex, DelayedSlice, Error, ErrorKind, Ino, Result, Segment, Slice, SliceId, TierId,
    resolve,
};

use crate::jobs::Deletion;
use crate::{DataStore, Key, Meta, Record, Txn, TxnExt as _, Verb};

/// Records looked at by one compaction.
const MAX_RECORDS: usize = 1000;
/// A first record of at least this many bytes may be left alone.
const WORTH_SKIPPING: u32 = 1 << 20;

/// What a compaction of one chunk did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactOutcome {
    /// Nothing is to be gained.
    Nothing,
    /// This client compacts the chunk already.
    Running,
    /// An object of the old slices is missing, or the records changed meanwhile.
    GivenUp,
    /// So many records became one.
    Replaced(usize),
}

/// A run of records and the slice that shall take its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    /// Records at the front that stay.
    skipped: usize,
    /// Where the new slice begins in the chunk.
    pos: u32,
    /// What it shows, without gaps.
    segments: Vec<Segment>,
    /// Its length in bytes.
    size: u32,
}

impl Meta {
    /// Compacts a chunk of a file if that gains anything. Times and length of the file stay; readers that hold the old
    /// list find the old slices gone later and read the list again.
    ///
    /// # Errors
    /// `NotSupported` without a data store; what store and engine answer. The chunk is intact then.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a slice that `gc` finds, nothing else.
    pub async fn compact_chunk(&self, ino: Ino, chunk: ChunkIndex) -> Result<CompactOutcome> {
        self.check_writable()?;
        let data = self.data_store().ok_or_else(|| {
            Error::new(
                ErrorKind::NotSupported,
                "compaction needs the object store, which is not open",
            )
        })?;
        let Some(_turn) = self.compactions.begin(ino, chunk) else {
            return Ok(CompactOutcome::Running);
        };
        let _permit = self.compactions.permit().await;
        self.compact_now(ino, chunk, data.as_ref()).await
    }

    async fn compact_now(&self, ino: Ino, chunk: ChunkIndex, data: &dyn DataStore) -> Result<CompactOutcome> {
        let mut found = self.engine.get(&[Key::Chunk(ino, chunk), Key::Node(ino)]).await?;
        let records = found.chunk()?.unwrap_or_default();
        let Some(attr) = found.node()? else {
            return Ok(CompactOutcome::Nothing);
        };
        let mut origin = records.clone();
        origin.truncate(MAX_RECORDS);
        let Some(plan) = plan(&origin) else {
            self.compactions.note_useless(ino, chunk, records.len());
            return Ok(CompactOutcome::Nothing);
        };
        let id = self.allocate_slice().await?;
        match self.write_compacted(data, &plan, id, attr.tier).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(CompactOutcome::GivenUp),
            Err(error) => return Err(error),
        }
        self.commit_compaction(ino, chunk, origin, plan, id).await
    }

    async fn write_compacted(
        &self,
        data: &dyn DataStore,
        plan: &Plan,
        id: SliceId,
        tier: TierId,
    ) -> Result<()> {
        let size = data.rewrite(&plan.segments, id, tier).await?;
        if size == plan.size {
            return self.sync_before_commit().await;
        }
        self.queue_dead_slices(vec![(id, size)]);
        Err(Error::new(
            ErrorKind::Io,
            format!("compaction wrote {size} bytes of slice {id}, not {}", plan.size),
        ))
    }

    async fn commit_compaction(
        &self,
        ino: Ino,
        chunk: ChunkIndex,
        origin: Vec<Slice>,
        plan: Plan,
        id: SliceId,
    ) -> Result<CompactOutcome> {
        let replaced = origin.len() - plan.skipped;
        let size = plan.size;
        let swap = Arc::new((origin, plan));
        let outcome = {
            let _turn = self.barrier.commit_turn().await;
            let swap = Arc::clone(&swap);
            self.transact("compact", move |meta, txn| {
                let swap = Arc::clone(&swap);
                Box::pin(async move { exchange(meta, txn, ino, chunk, &swap.0, &swap.1, id).await })
            })
            .await
        };
        let committed = match outcome {
            Ok(exchanged) => exchanged,
            // The outcome is unknown; the reference of the new slice tells.
            Err(error) => match self.engine.get(&[Key::SliceRef(id, size)]).await?.owners()? {
                Some(owners) if owners > 0 => true,
                // The hourly job removes its objects, when a commit that is still on its way has met the mark.
                _ => return self.give_up_slice(id, size).await.and(Err(error)),
            },
        };
        self.slice_counts.forget(ino, chunk);
        if !committed {
            self.give_up_slice(id, size).await?;
            self.queue_dead_slices(vec![(id, size)]);
            return Ok(CompactOutcome::GivenUp);
        }
        if self.setting().trash_days == 0 {
            let (origin, plan) = &*swap;
            let old = origin
                .iter()
                .skip(plan.skipped)
                .filter(|slice| slice.id != SliceId::HOLE);
            self.queue_dead_slices(old.map(|slice| (slice.id, slice.size)).collect());
        }
        Ok(CompactOutcome::Replaced(replaced))
    }

    /// Marks a slice that nothing shows for deletion.
    async fn give_up_slice(&self, id: SliceId, size: u32) -> Result<()> {
        self.transact(Verb::removal("discard slice"), move |_, txn| {
            txn.put(Key::SliceRef(id, size), Record::Owners(0));
            Box::pin(async { Ok(()) })
        })
        .await
    }

    /// Hands slices that may have lost their last owner to the background.
    fn queue_dead_slices(&self, slices: Vec<(SliceId, u32)>) {
        if !slices.is_empty() {
            self.deletions.push(Deletion::Slices(slices));
        }
    }
}

/// Replaces the planned run if the list still begins with `origin`.
///
/// The reference of the new slice is part of what is decided on: a commit that was taken for lost can arrive late, when
/// the slice was given up already, and must not show it then.
async fn exchange(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    chunk: ChunkIndex,
    origin: &[Slice],
    plan: &Plan,
    id: SliceId,
) -> Result<bool> {
    let size = plan.size;
    let mut found = txn
        .get_locked(&[Key::Chunk(ino, chunk), Key::SliceRef(id, size)])
        .await?;
    let stored = found.chunk()?.unwrap_or_default();
    if let Some(owners) = found.owners()? {
        return Ok(owners > 0);
    }
    let Some(appended) = stored.strip_prefix(origin) else {
        return Ok(false);
    };
    let (skipped, replaced) = origin.split_at_checked(plan.skipped).unwrap_or((origin, &[]));
    let mut records = skipped.to_vec();
    records.push(Slice {
        pos: plan.pos,
        id,
        size,
        off: 0,
        len: size,
    });
    records.extend(appended);
    txn.put(Key::Chunk(ino, chunk), Record::Chunk(records));
    txn.put(Key::SliceRef(id, size), Record::Owners(1));
    let old: Vec<DelayedSlice> = replaced
        .iter()
        .filter(|slice| slice.id != SliceId::HOLE)
        .map(|slice| DelayedSlice {
            id: slice.id,
            size: slice.size,
        })
        .collect();
    if meta.setting().trash_days == 0 {
        for slice in old {
            txn.add_owners(slice.id, slice.size, -1);
        }
    } else if !old.is_empty() {
        txn.put(
            Key::DelayedSlices(id, meta.now().seconds),
            Record::DelayedSlices(old),
        );
    }
    meta.log(txn, || {
        let (skipped, count, pos) = (plan.skipped, replaced.len(), plan.pos);
        format!("COMPACTCHUNK({ino},{chunk},{skipped},{count},{pos},{id},{size})")
    });
    Ok(true)
}

/// Decides what to compact: steps 2 to 4 of the contract.
fn plan(origin: &[Slice]) -> Option<Plan> {
    let mut skipped = 0;
    loop {
        let remainder = origin.get(skipped..)?;
        if remainder.len() < 2 {
            return None;
        }
        let (pos, size, segments) = compact_form(remainder);
        let (first, rest) = remainder.split_first()?;
        let stays = size > 0
            && first.len >= WORTH_SKIPPING
            && u64::from(first.len) * 5 >= u64::from(size)
            && segments.first().is_some_and(|segment| shows_all(segment, first))
            && !rest.contains(first);
        if !stays {
            return (size > 0).then_some(Plan {
                skipped,
                pos,
                segments,
                size,
            });
        }
        skipped += 1;
    }
}

fn shows_all(segment: &Segment, record: &Slice) -> bool {
    (segment.pos, segment.id, segment.off, segment.len) == (record.pos, record.id, record.off, record.len)
}

/// Position, size and gapless segments of what a list shows, without leading and trailing zeros.
fn compact_form(records: &[Slice]) -> (u32, u32, Vec<Segment>) {
    let mut segments: Vec<Segment> = Vec::new();
    for segment in resolve(records) {
        let end = segments.last().map_or(segment.pos, |last| last.pos + last.len);
        if end < segment.pos {
            segments.push(Segment {
                pos: end,
                id: SliceId::HOLE,
                size: 0,
                off: 0,
                len: segment.pos - end,
            });
        }
        segments.push(segment);
    }
    let visible = |segment: &Segment| segment.id != SliceId::HOLE;
    let Some(start) = segments.iter().position(visible) else {
        // Nothing but zeros: one byte of them stands for all.
        return match segments.last() {
            Some(last) => {
                let pos = last.pos;
                (
                    pos,
                    1,
                    vec![Segment {
                        pos,
                        id: SliceId::HOLE,
                        size: 0,
                        off: 0,
                        len: 1,
                    }],
                )
            }
            None => (0, 0, Vec::new()),
        };
    };
    let end = segments.iter().rposition(visible).map_or(start, |last| last + 1);
    let kept: Vec<Segment> = segments.get(start..end).unwrap_or_default().to_vec();
    let pos = kept.first().map_or(0, |segment| segment.pos);
    let size: u64 = kept.iter().map(|segment| u64::from(segment.len)).sum();
    debug_assert!(size <= CHUNK_SIZE);
    (pos, size as u32, kept)
}
