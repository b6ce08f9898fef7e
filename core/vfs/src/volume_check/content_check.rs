//! Whether the objects of every slice can be read back (the command `fsck --verify-contents`).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::StreamExt as _;
use moorage_chunk::{BlockId, ChunkStore, blocks};
use moorage_meta::Meta;
use moorage_meta::admin::{
    CheckReport, CheckScope, Defect, Finding, Progress, RepairState, Severity, SliceShown, SliceUse,
};
use moorage_model::{Error, ErrorKind, Result, SliceId};

use super::object_check::{ObjectCheckOptions, PossibleSizes, files_showing};

/// Damaged objects kept until the files that show them are looked up, which takes a scan.
const MAX_WAITING: usize = 10_000;

/// Reads every object that files need from the store, past the caches, and opens it as a reader would: decrypts,
/// decompresses, compares its length with its name. What that proves depends on the volume, see
/// [`ChunkStore::content_proof`]. Missing objects and those of a size that they can not have are left to
/// [`super::check_objects`]. `progress` counts objects.
///
/// Memory: `concurrency` objects, stored and opened, and that of [`Meta::slice_window`].
///
/// # Errors
/// `Interrupted` when cancelled; the first failure of engine or store. Damaged objects are findings.
pub async fn verify_contents(
    meta: &Meta,
    chunks: &ChunkStore,
    options: ObjectCheckOptions,
    progress: &Progress,
) -> Result<CheckReport> {
    let mut check = ContentCheck {
        meta,
        chunks,
        concurrency: options.concurrency.max(1),
        progress,
        damaged: BTreeMap::new(),
        waiting: 0,
        report: CheckReport::default(),
    };
    if let CheckScope::Tree(ino) = options.scope {
        let found = meta.tree_slices(ino, progress).await?;
        check.slices(&found.slices).await?;
        return Ok(check.report);
    }
    let mut from = SliceId::HOLE;
    loop {
        let window = meta.slice_window(from, progress).await?;
        check.slices(&window.slices).await?;
        match window.next {
            Some(next) => from = next,
            None => return Ok(check.report),
        }
    }
}

struct ContentCheck<'a> {
    meta: &'a Meta,
    chunks: &'a ChunkStore,
    concurrency: usize,
    progress: &'a Progress,
    /// Damaged objects by slice, with what is wrong.
    damaged: BTreeMap<SliceId, Vec<Error>>,
    /// How many these are.
    waiting: usize,
    report: CheckReport,
}

impl ContentCheck<'_> {
    async fn slices(&mut self, slices: &BTreeMap<SliceId, SliceUse>) -> Result<()> {
        let (chunks, progress) = (self.chunks, self.progress);
        let block_size = chunks.block_size();
        let shown = || slices.iter().filter(|(_, known)| known.records > 0);
        let count = shown().map(|(id, known)| blocks(*id, known.size, block_size).len() as u64);
        progress.expect(count.sum());
        let wanted = shown().flat_map(|(id, known)| blocks(*id, known.size, block_size));
        let mut answers = futures_util::stream::iter(wanted)
            .map(|block: BlockId| async move { (block, chunks.verify(block).await) })
            .buffer_unordered(self.concurrency);
        while let Some((block, answer)) = answers.next().await {
            progress.check()?;
            progress.add(1, u64::from(block.len));
            match answer {
                Ok(()) => self.note_read(&block),
                // Whether it is missing is asked for by the check of the objects.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // `Io` is a disk that can not read a local object.
                Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io) => {
                    self.note_read(&block);
                    if self.is_found_by_size(&block).await? {
                        continue;
                    }
                    self.damaged.entry(block.slice).or_default().push(error);
                    self.waiting += 1;
                    if self.waiting >= MAX_WAITING {
                        self.report_damaged().await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.report_damaged().await
    }

    /// Whether the check of the objects finds what is wrong with one, without reading it.
    async fn is_found_by_size(&self, block: &BlockId) -> Result<bool> {
        let setting = self.meta.setting();
        let key = block.key(setting.hash_prefix);
        match self.chunks.store().head(&key).await {
            Ok(info) => Ok(!PossibleSizes::of(&setting).allow(block, info.size)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            // A disk that can not read the object may not tell its size either.
            Err(error) if error.kind() == ErrorKind::Io => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn note_read(&mut self, block: &BlockId) {
        self.report.counts.verified_objects += 1;
        self.report.counts.verified_bytes += u64::from(block.len);
    }

    /// Names what was found so far, unless no file shows it any more.
    async fn report_damaged(&mut self) -> Result<()> {
        let damaged = std::mem::take(&mut self.damaged);
        self.waiting = 0;
        if damaged.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<SliceId> = damaged.keys().copied().collect();
        let shown = self.meta.chunks_showing(&ids, self.progress).await?;
        for (id, errors) in damaged {
            let uses: Vec<&SliceShown> = shown.iter().filter(|one| one.id == id).collect();
            let Some(files) = files_showing(self.meta, &uses).await? else {
                continue;
            };
            for error in errors {
                self.report.add(Finding {
                    defect: Defect::DamagedObject,
                    severity: Severity::Error,
                    message: format!("slice {id} of {files}: {}", error.reason()),
                    advice: "Restore the object from a copy of the bucket, or the file from a backup."
                        .to_owned(),
                    repair: RepairState::Impossible,
                });
            }
        }
        Ok(())
    }
}
