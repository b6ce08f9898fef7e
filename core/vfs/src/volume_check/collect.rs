//! Garbage collection: objects that nothing names, and what waits to be deleted (the command `gc`; spec 60-objects
//! section 2).

use std::time::{Duration, SystemTime};

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use moorage_chunk::{BLOCK_PREFIX, BlockId, ObjectInfo, ObjectStore};
use moorage_meta::admin::{
    CompactSummary, Progress, ReclaimMode, Reclaimed, SliceUse, SliceWindow, TrashExpiry,
};
use moorage_meta::{Key, Meta, TxnExt as _};
use moorage_model::{Clock, Counter, Error, ErrorKind, Result, SliceId};

use super::listing::Listing;
use super::store_clock::present;

/// Age below which an object is never judged: its writer may still be about to commit it (spec 60-objects section 2).
pub const MINIMUM_AGE: Duration = Duration::from_secs(3600);
/// Seconds after which an unattached clone counts as abandoned (spec 70-semantics section 6).
const ABANDONED_CLONE: i64 = 86_400;

/// What a garbage collection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GarbageOptions {
    /// Deletes what it finds; otherwise everything is only counted.
    pub delete: bool,
    /// Compacts all chunks first.
    pub compact: bool,
    /// Objects younger than this are not judged. Below [`MINIMUM_AGE`] only while nobody writes. With zero none is too
    /// young: stores tell times with precisions of up to a second, so no comparison would find the newest ones.
    pub min_age: Duration,
    /// Deletions and compactions at once.
    pub concurrency: usize,
}

impl Default for GarbageOptions {
    fn default() -> Self {
        GarbageOptions {
            delete: false,
            compact: false,
            min_age: MINIMUM_AGE,
            concurrency: 10,
        }
    }
}

/// Objects and the bytes they take in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectCount {
    /// Objects.
    pub objects: u64,
    /// Stored bytes.
    pub bytes: u64,
}

impl ObjectCount {
    fn add(&mut self, info: &ObjectInfo) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(info.size);
    }
}

/// What a garbage collection found, or deleted when it was told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GarbageReport {
    /// Objects of slices that files show.
    pub valid: ObjectCount,
    /// Objects of slices that compactions replaced and that are kept for the trash days.
    pub delayed: ObjectCount,
    /// Objects of slices whose deletion is pending.
    pub pending: ObjectCount,
    /// Objects that nothing names and that are old enough to be sure.
    pub leaked: ObjectCount,
    /// Objects that nothing names, too young to judge or of unknown age.
    pub young: ObjectCount,
    /// Objects that nothing names and whose ids this database has not given out yet: it is older than the store, as one
    /// restored from a backup. Never deleted, since the newer database may turn up.
    pub ahead: ObjectCount,
    /// Keys below `chunks/` that are no blocks; never touched.
    pub foreign: ObjectCount,
    /// Hours of the trash older than the trash days.
    pub trash: TrashExpiry,
    /// Unattached clones older than a day.
    pub clones: Reclaimed,
    /// Deleted files with data.
    pub deleted_files: Reclaimed,
    /// Slice lists of files that do not exist.
    pub orphaned_chunks: Reclaimed,
    /// Replaced slices kept longer than the trash days.
    pub delayed_slices: Reclaimed,
    /// Slices without owners.
    pub dead_slices: Reclaimed,
    /// What the compaction did.
    pub compacted: CompactSummary,
    /// Slice lists, replaced slices and slice references that can not be read. While there are any, no object is
    /// deleted only because no record names it: one of these may.
    pub unread_owners: u64,
    /// Other records that can not be read; what they stand for stays.
    pub damaged: u64,
}

impl GarbageReport {
    /// Whether objects that nothing names were kept because records that may name them can not be read.
    pub fn leaks_are_kept(&self) -> bool {
        self.unread_owners > 0
    }
}

/// Finds what takes space for nothing and, when asked to, gives it back: expired trash, abandoned clones, deleted
/// files, slice lists without a file, replaced slices past the trash days, slices without owners, and objects that no
/// record names. The metadata client needs its data attached.
///
/// An object is deleted only when no record named it after it was older than `min_age`, by the slower of the client's
/// and the store's clock, and after the metadata that stopped naming it is durable. Objects whose age the store does
/// not tell are kept, and so are those of a database that is newer than this one. Damaged records end nothing and are
/// counted; while one of them may name slices, objects that nothing names are only counted.
///
/// Memory: that of [`Meta::slice_window`]; volumes of more slices list the store once per window.
///
/// # Errors
/// `ReadOnly` for a deletion through a read-only client; `Interrupted` when cancelled; the first failure of engine or
/// store, damaged records aside. What was deleted stays deleted.
///
/// # Cancel safety
/// Idempotent: run it again.
pub async fn collect_garbage(
    meta: &Meta,
    store: &dyn ObjectStore,
    clock: &dyn Clock,
    options: GarbageOptions,
    progress: &Progress,
) -> Result<GarbageReport> {
    if meta.options().read_only && (options.delete || options.compact) {
        return Err(Error::new(
            ErrorKind::ReadOnly,
            "garbage is collected by a client that may write",
        ));
    }
    let mut report = GarbageReport::default();
    if options.compact {
        report.compacted = meta.compact_volume(options.concurrency, progress).await?;
    }
    reclaim(meta, clock, options, progress, &mut report).await?;
    // Taken before the records are read: what is committed from now on is younger.
    let young_from = young_from(store, clock, options).await?;
    let next_id = meta
        .engine()
        .get(&[Key::Counter(Counter::NextChunk)])
        .await?
        .counter()?;
    let sweep = Sweep {
        meta,
        next_id: SliceId(next_id.unwrap_or(i64::MAX).unsigned_abs()),
        store,
        block_size: block_size(meta),
        options,
        young_from,
        progress,
    };
    let mut from = SliceId::HOLE;
    loop {
        let window = meta.slice_window(from, progress).await?;
        // Each window reads all records.
        report.unread_owners = report.unread_owners.max(window.damage.count);
        sweep.window(from, &window, &mut report).await?;
        match window.next {
            Some(next) => from = next,
            None => return Ok(report),
        }
    }
}

/// The time from which on an object is too young to be judged; `None` when none is.
async fn young_from(
    store: &dyn ObjectStore,
    clock: &dyn Clock,
    options: GarbageOptions,
) -> Result<Option<SystemTime>> {
    if options.min_age.is_zero() {
        return Ok(None);
    }
    let now = if options.delete {
        present(store, clock).await?
    } else {
        SystemTime::from(clock.now())
    };
    Ok(Some(
        now.checked_sub(options.min_age).unwrap_or(SystemTime::UNIX_EPOCH),
    ))
}

/// Bytes of a block.
pub(super) fn block_size(meta: &Meta) -> u32 {
    meta.setting().block_size << 10
}

/// What records say is to go.
async fn reclaim(
    meta: &Meta,
    clock: &dyn Clock,
    options: GarbageOptions,
    progress: &Progress,
    report: &mut GarbageReport,
) -> Result<()> {
    let mode = if options.delete {
        ReclaimMode::Delete
    } else {
        ReclaimMode::DryRun
    };
    let now = clock.now().seconds;
    let kept_until = meta.delayed_slice_expiry();
    let trash = meta
        .expire_trash(kept_until, mode, options.concurrency, progress)
        .await;
    report.trash = past_damage(trash, &mut report.damaged)?;
    let clones = meta
        .reclaim_detached(now.saturating_sub(ABANDONED_CLONE), mode, progress)
        .await;
    report.clones = past_damage(clones, &mut report.damaged)?;
    let files = meta.reclaim_deleted_files(i64::MAX, mode, progress).await;
    report.deleted_files = past_damage(files, &mut report.damaged)?;
    let chunks = meta.reclaim_orphaned_chunks(mode, progress).await;
    report.orphaned_chunks = past_damage(chunks, &mut report.damaged)?;
    let delayed = meta.reclaim_delayed_slices(kept_until, mode, progress).await;
    report.delayed_slices = past_damage(delayed, &mut report.damaged)?;
    let dead = meta.reclaim_dead_slices(mode, progress).await;
    report.dead_slices = past_damage(dead, &mut report.damaged)?;
    // Damaged records of slices are counted by the scan that looks for the names of objects.
    report.damaged += report.trash.damaged + report.clones.damaged + report.deleted_files.damaged;
    Ok(())
}

/// The answer of a step; a damaged record that ended it is counted and ends nothing else.
fn past_damage<T: Default>(step: Result<T>, damaged: &mut u64) -> Result<T> {
    match step {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            *damaged += 1;
            Ok(T::default())
        }
        step => step,
    }
}

struct Sweep<'a> {
    meta: &'a Meta,
    store: &'a dyn ObjectStore,
    /// Ids from here on are not given out.
    next_id: SliceId,
    block_size: u32,
    options: GarbageOptions,
    young_from: Option<SystemTime>,
    progress: &'a Progress,
}

impl Sweep<'_> {
    async fn window(&self, from: SliceId, window: &SliceWindow, report: &mut GarbageReport) -> Result<()> {
        let mut listing = Listing::new(self.store, BLOCK_PREFIX);
        while let Some(page) = listing.next(self.progress).await? {
            let mut leaked = Vec::new();
            for (key, info) in page {
                let Some(block) = BlockId::parse(&key) else {
                    if from == SliceId::HOLE {
                        report.foreign.add(&info);
                    }
                    continue;
                };
                if !window.covers(block.slice, from) {
                    continue;
                }
                self.progress.add(1, info.size);
                match self.judge(&block, window.slices.get(&block.slice), &info) {
                    Verdict::Valid => report.valid.add(&info),
                    Verdict::Delayed => report.delayed.add(&info),
                    Verdict::Pending => report.pending.add(&info),
                    Verdict::Young => report.young.add(&info),
                    Verdict::Ahead => report.ahead.add(&info),
                    Verdict::Leaked => {
                        report.leaked.add(&info);
                        leaked.push(key);
                    }
                }
            }
            if self.options.delete && !report.leaks_are_kept() && !leaked.is_empty() {
                self.delete(leaked).await?;
            }
        }
        Ok(())
    }

    fn judge(&self, block: &BlockId, known: Option<&SliceUse>, info: &ObjectInfo) -> Verdict {
        if let Some(known) = known
            && (known.sizes_differ || block.belongs_to(known.size, self.block_size))
        {
            return if known.records > 0 {
                Verdict::Valid
            } else if known.delayed > 0 {
                Verdict::Delayed
            } else {
                Verdict::Pending
            };
        }
        match info.modified {
            Some(modified) if self.young_from.is_some_and(|from| modified >= from) => Verdict::Young,
            Some(_) if block.slice >= self.next_id => Verdict::Ahead,
            Some(_) => Verdict::Leaked,
            None => Verdict::Young,
        }
    }

    async fn delete(&self, keys: Vec<String>) -> Result<()> {
        self.meta.make_durable().await?;
        futures_util::stream::iter(keys)
            .map(Ok)
            .try_for_each_concurrent(self.options.concurrency.max(1), |key| async move {
                self.store
                    .delete(&key)
                    .await
                    .map_err(|error| error.context(format!("deleting the leaked object {key}")))
            })
            .await
    }
}

enum Verdict {
    Valid,
    Delayed,
    Pending,
    Young,
    Ahead,
    Leaked,
}
