//! Whether every block of every slice is in the store (the command `fsck`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::stream::StreamExt as _;
use moorage_chunk::{BLOCK_PREFIX, BlockId, ObjectStore, blocks};
use moorage_meta::admin::{
    CheckReport, CheckScope, Damage, Defect, FROM_BACKUP, Finding, Progress, RepairState, Severity,
    SliceShown, SliceUse, SliceWindow,
};
use moorage_meta::{Key, Meta};
use moorage_model::{ErrorKind, Ino, Result, Setting, SliceId};

use super::collect::block_size;
use super::listing::Listing;

/// Slices of a window with missing objects that are looked at again.
const SUSPECTS: usize = 10_000;
/// Paths named in a finding.
const NAMED_PATHS: usize = 3;
/// Blocks named in a finding.
const NAMED_BLOCKS: usize = 3;

/// What is checked, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectCheckOptions {
    /// Whose objects are checked. A tree is checked object by object, a volume by one listing.
    pub scope: CheckScope,
    /// Objects asked for at once.
    pub concurrency: usize,
}

impl Default for ObjectCheckOptions {
    fn default() -> Self {
        ObjectCheckOptions {
            scope: CheckScope::Volume,
            concurrency: 20,
        }
    }
}

/// Checks that every object that files need is in the store with a size that it can have: its own length, or any when
/// the volume compresses or encrypts. What seems to be missing is asked for one by one, and only reported while a file
/// still shows it. A client with write-back may have an object that is not in the store yet: what of that is here is noted
/// as such.
///
/// Memory: 50 MB for the records and 30 MB for the objects per million slices, bounded by two million; volumes of more
/// slices list the store once per window.
///
/// # Errors
/// `Interrupted` when cancelled; the first failure of engine or store. Records that can not be read are findings of
/// [`Meta::check`] for a volume and of this check for a tree.
pub async fn check_objects(
    meta: &Meta,
    store: &dyn ObjectStore,
    options: ObjectCheckOptions,
    only_here: OnlyHere<'_>,
    progress: &Progress,
) -> Result<CheckReport> {
    let setting = meta.setting();
    let mut check = ObjectCheck {
        meta,
        store,
        block_size: block_size(meta),
        hash_prefix: setting.hash_prefix,
        sizes: PossibleSizes::of(&setting),
        concurrency: options.concurrency.max(1),
        only_here,
        progress,
        report: CheckReport::default(),
    };
    if let CheckScope::Tree(ino) = options.scope {
        let found = meta.tree_slices(ino, progress).await?;
        check.report_damage(&found.damage).await?;
        check.count(&found.slices);
        let shown = found.slices.values().filter(|known| known.records > 0);
        check.report.counts.slices += shown.count() as u64;
        let all: BTreeSet<SliceId> = found.slices.keys().copied().collect();
        check.judge(&found.slices, all).await?;
        return Ok(check.report);
    }
    let mut from = SliceId::HOLE;
    loop {
        let window = meta.slice_window(from, progress).await?;
        check.window(from, &window).await?;
        match window.next {
            Some(next) => from = next,
            None => return Ok(check.report),
        }
    }
}

/// Which sizes objects can have.
#[derive(Clone, Copy, Debug)]
pub(super) struct PossibleSizes {
    /// Blocks are stored as they are.
    plain: bool,
}

impl PossibleSizes {
    pub(super) fn of(setting: &Setting) -> PossibleSizes {
        let plain_text = matches!(setting.compression.to_ascii_lowercase().as_str(), "" | "none");
        PossibleSizes {
            plain: plain_text && setting.encrypt_key.is_empty(),
        }
    }

    pub(super) fn allow(self, block: &BlockId, size: u64) -> bool {
        if self.plain {
            size == u64::from(block.len)
        } else {
            size > 0
        }
    }
}

struct ObjectCheck<'a> {
    meta: &'a Meta,
    store: &'a dyn ObjectStore,
    block_size: u32,
    hash_prefix: bool,
    sizes: PossibleSizes,
    concurrency: usize,
    only_here: OnlyHere<'a>,
    progress: &'a Progress,
    report: CheckReport,
}

/// Tells which blocks wait on this computer for their upload. It is asked after the records were read and before the
/// store: what is uploaded meanwhile is in the one or the other. It may block for as long as listing a folder takes.
pub type OnlyHere<'a> = &'a (dyn Fn() -> HashSet<BlockId> + Sync);

/// What is wrong with a block.
struct Fault {
    block: BlockId,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultKind {
    Missing,
    /// Missing, but on this computer, which uploads it.
    OnlyHere,
    /// So many bytes are stored.
    WrongSize(u64),
}

impl ObjectCheck<'_> {
    fn count(&mut self, slices: &BTreeMap<SliceId, SliceUse>) {
        for (id, known) in slices.iter().filter(|(_, known)| known.records > 0) {
            self.report.counts.objects += blocks(*id, known.size, self.block_size).len() as u64;
            self.report.counts.object_bytes += u64::from(known.size);
        }
    }

    async fn window(&mut self, from: SliceId, window: &SliceWindow) -> Result<()> {
        let before = self.report.counts.objects;
        self.count(&window.slices);
        self.progress.expect(self.report.counts.objects - before);
        let mut found: HashMap<SliceId, usize> = HashMap::new();
        let mut listing = Listing::new(self.store, BLOCK_PREFIX);
        while let Some(page) = listing.next(self.progress).await? {
            for (key, info) in page {
                let Some(block) = BlockId::parse(&key).filter(|block| window.covers(block.slice, from))
                else {
                    continue;
                };
                let wanted = window.slices.get(&block.slice).filter(|known| {
                    known.records > 0
                        && block.belongs_to(known.size, self.block_size)
                        && self.sizes.allow(&block, info.size)
                });
                if wanted.is_some() {
                    *found.entry(block.slice).or_default() += 1;
                    self.progress.add(1, info.size);
                }
            }
        }
        let suspects: BTreeSet<SliceId> = window
            .slices
            .iter()
            .filter(|(_, known)| known.records > 0)
            .filter(|(id, known)| {
                let have = found.get(id).copied().unwrap_or(0);
                have < blocks(**id, known.size, self.block_size).len()
            })
            .map(|(id, _)| *id)
            .take(SUSPECTS)
            .collect();
        self.judge(&window.slices, suspects).await
    }

    /// Asks for every block of these slices and reports what is wrong and still shown.
    async fn judge(
        &mut self,
        slices: &BTreeMap<SliceId, SliceUse>,
        suspects: BTreeSet<SliceId>,
    ) -> Result<()> {
        if suspects.is_empty() {
            return Ok(());
        }
        let only_here = (self.only_here)();
        let mut faulty: BTreeMap<SliceId, Vec<Fault>> = BTreeMap::new();
        for id in suspects {
            self.progress.check()?;
            let Some(known) = slices.get(&id) else { continue };
            let faults = self.faults(id, known.size, &only_here).await?;
            if !faults.is_empty() {
                faulty.insert(id, faults);
            }
        }
        if faulty.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<SliceId> = faulty.keys().copied().collect();
        let shown = self.meta.chunks_showing(&ids, self.progress).await?;
        for (id, faults) in faulty {
            let uses: Vec<&SliceShown> = shown.iter().filter(|one| one.id == id).collect();
            if let Some(files) = files_showing(self.meta, &uses).await? {
                self.report_slice(id, &faults, &files);
            }
        }
        Ok(())
    }

    async fn faults(&self, id: SliceId, size: u32, only_here: &HashSet<BlockId>) -> Result<Vec<Fault>> {
        let mut answers = futures_util::stream::iter(blocks(id, size, self.block_size))
            .map(|block| async move { (block, self.store.head(&block.key(self.hash_prefix)).await) })
            .buffered(self.concurrency);
        let mut faults = Vec::new();
        while let Some((block, answer)) = answers.next().await {
            match answer {
                Ok(info) if self.sizes.allow(&block, info.size) => {}
                Ok(info) => faults.push(Fault {
                    block,
                    kind: FaultKind::WrongSize(info.size),
                }),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let kind = if only_here.contains(&block) {
                        FaultKind::OnlyHere
                    } else {
                        FaultKind::Missing
                    };
                    faults.push(Fault { block, kind });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(faults)
    }

    /// Slice lists of a tree that can not be read.
    async fn report_damage(&mut self, damage: &Damage) -> Result<()> {
        self.report.counts.damaged += damage.count;
        for found in &damage.records {
            let file = match &found.key {
                Some(Key::Chunk(ino, _)) => self.meta.describe_node(*ino).await?,
                _ => "a file below the folder".to_owned(),
            };
            self.report.add(Finding {
                defect: Defect::DamagedRecord,
                severity: Severity::Error,
                message: format!("{}; it belongs to {file}", found.reason),
                advice: format!("{FROM_BACKUP} Or restore the file from a backup of its own."),
                repair: RepairState::Impossible,
            });
        }
        Ok(())
    }

    fn report_slice(&mut self, id: SliceId, faults: &[Fault], files: &str) {
        let named = |wanted: fn(FaultKind) -> bool| -> Option<String> {
            let faults: Vec<&Fault> = faults.iter().filter(|fault| wanted(fault.kind)).collect();
            let shown = faults.iter().take(NAMED_BLOCKS).map(|fault| match fault.kind {
                FaultKind::WrongSize(size) => format!("{} ({size} bytes)", fault.block.key(self.hash_prefix)),
                FaultKind::Missing | FaultKind::OnlyHere => fault.block.key(self.hash_prefix),
            });
            let mut text = shown.collect::<Vec<_>>().join(", ");
            if let Some(more) = faults.len().checked_sub(NAMED_BLOCKS).filter(|more| *more > 0) {
                text.push_str(&format!(" and {more} more"));
            }
            (!faults.is_empty()).then_some(text)
        };
        let found = [
            (
                Defect::MissingObject,
                Severity::Error,
                "objects are missing",
                named(|kind| kind == FaultKind::Missing),
                "A mount with write-back on another computer may still have them: let it finish its uploads. Otherwise \
                 restore the objects from a copy of the bucket, or the file from a backup.",
            ),
            (
                Defect::NotUploaded,
                Severity::Note,
                "objects wait on this computer for their upload",
                named(|kind| kind == FaultKind::OnlyHere),
                "The mount that wrote them uploads them; after it has ended, mount the volume again with the same \
                 --cache-dir.",
            ),
            (
                Defect::WrongObjectSize,
                Severity::Error,
                "objects have an impossible size",
                named(|kind| matches!(kind, FaultKind::WrongSize(_))),
                "Restore the objects from a copy of the bucket, or the file from a backup.",
            ),
        ];
        for (defect, severity, what, named, advice) in found {
            if let Some(named) = named {
                self.report.add(Finding {
                    defect,
                    severity,
                    message: format!("slice {id} of {files}: {what}: {named}"),
                    advice: advice.to_owned(),
                    repair: RepairState::Impossible,
                });
            }
        }
    }
}

/// The files that show a slice, in words; `None` when none does any more.
pub(super) async fn files_showing(meta: &Meta, uses: &[&SliceShown]) -> Result<Option<String>> {
    let mut files: Vec<String> = Vec::new();
    let inodes: BTreeSet<Ino> = uses.iter().map(|one| one.ino).collect();
    let total = inodes.len();
    for ino in inodes {
        if files.len() == NAMED_PATHS {
            files.push(format!("and {} more", total - NAMED_PATHS));
            break;
        }
        match meta.getattr(ino).await {
            // A deleted file whose data is about to go.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
            _ => files.push(meta.describe_node(ino).await?),
        }
    }
    Ok((!files.is_empty()).then(|| files.join(", ")))
}
