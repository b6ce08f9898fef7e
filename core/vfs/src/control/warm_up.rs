//! Command 1004: fill, drop or check the cache.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use moorage_chunk::{BlockId, BlockPlace};
use moorage_meta::admin::Progress;
use moorage_meta::{Context, MAY_EXECUTE, MAY_READ};
use moorage_model::{Attr, ChunkIndex, Error, ErrorKind, Ino, Name, Result, Slice, SliceId, resolve};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::cache_report::{CacheFigures, CacheReport};
use super::codec::{Answer, CacheAction, WarmUpRequest};
use super::summary::json;
use crate::Vfs;

/// Entries of a folder read at once.
const PAGE: usize = 1000;
/// Warm-ups at work at the same time whose callers do not wait: each may keep the paths of a whole request and is as
/// wide as it asked for, so more of them make none faster.
pub(crate) const MAX_BACKGROUND_WARM_UPS: usize = 8;

/// One walk through files, for one caller.
struct Walk<'a> {
    identity: &'a Context,
    request: &'a WarmUpRequest,
    purpose: Purpose,
    /// Blocks at work at once.
    turns: Semaphore,
    progress: &'a Progress,
    found: Mutex<Found>,
}

/// What a walk does with the blocks of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Act(CacheAction),
    /// Look which of the files that were fetched are in the cache.
    Verify,
}

#[derive(Default)]
struct Found {
    report: CacheReport,
    /// Files that failed: that they are not in the cache is no news.
    failed: HashSet<Ino>,
    /// The first failure that more than one caller may want to hear of; others are done all the same.
    failure: Option<Error>,
}

/// A folder that is still to be walked through.
struct Folder {
    ino: Ino,
    /// From the root of the mount.
    path: Vec<u8>,
}

impl Vfs {
    /// Fills, drops or checks what is cached of files, and of all files below folders, as far as the caller may read
    /// them. Paths that lead nowhere are passed over. In the background it ends with the mount.
    ///
    /// # Errors
    /// The first failure of engine or store; the other files were done all the same. For whoever asked for details the
    /// answer names what failed instead, and also what can not be found or read. `Busy` when as many as may are at work
    /// in the background.
    pub(super) async fn warm_up_by_command(
        self: &Arc<Self>,
        identity: &Context,
        request: &WarmUpRequest,
        progress: &Arc<Progress>,
    ) -> Result<Answer> {
        if request.background {
            let turn = Arc::clone(&self.warm_ups).try_acquire_owned().map_err(|_| {
                Error::new(
                    ErrorKind::Busy,
                    format!("{MAX_BACKGROUND_WARM_UPS} warm-ups are at work in the background"),
                )
            })?;
            let (vfs, identity, request) = (Arc::clone(self), identity.clone(), request.clone());
            let mut stopping = self.stopping.subscribe();
            self.runtime.spawn(async move {
                let progress = Progress::default();
                tokio::select! {
                    done = vfs.warm_up(&identity, &request, &progress) => if let Err(error) = done {
                        tracing::warn!(%error, "a cache was not filled completely");
                    },
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
                drop(turn);
            });
            return json(&CacheReport::default());
        }
        json(&self.warm_up(identity, request, progress).await?)
    }

    async fn warm_up(
        &self,
        identity: &Context,
        request: &WarmUpRequest,
        progress: &Progress,
    ) -> Result<CacheReport> {
        self.chunks.settle_cache().await;
        let walk = |purpose, progress| Walk {
            identity,
            request,
            purpose,
            turns: Semaphore::new(request.threads),
            progress,
            found: Mutex::default(),
        };
        let first = walk(Purpose::Act(request.action), progress);
        self.walk(&first).await?;
        let mut found = first.found.into_inner();
        if !request.detailed {
            return found.failure.map_or(Ok(found.report), Err);
        }
        self.chunks.settle_cache().await;
        if request.action == CacheAction::Fill {
            // Blocks that were fetched first may have made room for those that were fetched last.
            let counted = Progress::default();
            let second = walk(Purpose::Verify, &counted);
            second.found.lock().failed = std::mem::take(&mut found.failed);
            self.walk(&second).await?;
            let verified = second.found.into_inner().report;
            found.report.unfit_count = verified.unfit_count;
            found.report.unfit_bytes = verified.unfit_bytes;
            found.report.unfit = verified.unfit;
        }
        found.report.cache = Some(CacheFigures::from(self.chunks.cache_use()));
        Ok(found.report)
    }

    async fn walk(&self, walk: &Walk<'_>) -> Result<()> {
        let mut folders = Vec::new();
        for path in &walk.request.paths {
            match self.find(walk.identity, path).await {
                Ok((ino, attr)) if attr.is_directory() => folders.push(Folder {
                    ino,
                    path: path.clone(),
                }),
                Ok((ino, attr)) => self.warm_file(walk, (ino, &attr), path).await,
                Err(error) if walk.passes_over(path, &error) => {
                    tracing::warn!(%error, path = %String::from_utf8_lossy(path), "nothing to cache");
                }
                Err(error) => return Err(error),
            }
        }
        while let Some(folder) = folders.pop() {
            self.warm_folder(walk, &folder, &mut folders).await?;
        }
        Ok(())
    }

    /// The node behind a path from the root of the mount.
    pub(super) async fn find(&self, identity: &Context, path: &[u8]) -> Result<(Ino, Attr)> {
        let mut found = (self.root, self.meta.getattr(self.root).await?);
        for component in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let name = Name::new(component)?;
            if name.is_dots() {
                // It could lead out of the mount.
                return Err(ErrorKind::InvalidArgument.into());
            }
            found = self.meta.lookup(identity, found.0, &name).await?;
        }
        Ok(found)
    }

    async fn warm_folder(&self, walk: &Walk<'_>, folder: &Folder, folders: &mut Vec<Folder>) -> Result<()> {
        let attr = match self.meta.getattr(folder.ino).await {
            Err(error) if walk.passes_over(&folder.path, &error) => return Ok(()),
            found => found?,
        };
        match self
            .meta
            .check_access(walk.identity, &attr, MAY_READ | MAY_EXECUTE)
            .await
        {
            Err(error) if walk.passes_over(&folder.path, &error) => return Ok(()),
            checked => checked?,
        }
        let mut after: Option<Name> = None;
        loop {
            walk.progress.check()?;
            let page = self
                .meta
                .engine()
                .read_directory(folder.ino, after.as_ref(), PAGE, true)
                .await?;
            let more = page.len() == PAGE;
            after = page.last().map(|item| item.name.clone());
            let mut files = Vec::new();
            for item in page {
                let (ino, path) = (item.entry.ino, below(&folder.path, &item.name));
                match item.attr {
                    Some(attr) if attr.is_directory() => folders.push(Folder { ino, path }),
                    Some(attr) if attr.is_file() => files.push((ino, attr, path)),
                    _ => {}
                }
            }
            futures_util::stream::iter(&files)
                .for_each_concurrent(walk.request.threads, |(ino, attr, path)| {
                    self.warm_file(walk, (*ino, attr), path)
                })
                .await;
            if !more {
                return Ok(());
            }
        }
    }

    async fn warm_file(&self, walk: &Walk<'_>, (ino, attr): (Ino, &Attr), path: &[u8]) {
        match self.warm_content(walk, ino, attr).await {
            Ok(counts) => {
                walk.progress.add(1, 0);
                let mut found = walk.found.lock();
                found.report.add(&counts);
                found.report.file_count += 1;
                if walk.purpose == Purpose::Act(CacheAction::Check)
                    && let Some(reason) = self.pins.as_ref().and_then(|pins| pins.failure_of(ino))
                {
                    found.report.note_unfetched(path, reason);
                }
                if walk.purpose == Purpose::Verify && counts.miss_bytes > 0 && !found.failed.contains(&ino) {
                    found.report.note_unfit(path, counts.miss_bytes);
                }
            }
            Err(error) => {
                let error = error.context(format!("inode {ino}"));
                let passed_over = walk.passes_over(path, &error);
                let mut found = walk.found.lock();
                found.failed.insert(ino);
                if !passed_over {
                    tracing::warn!(%error, "a file was not cached");
                    found.report.note_failed(path, &error);
                    found.failure.get_or_insert(error);
                }
            }
        }
    }

    /// What a file has, and had of that on this computer before.
    async fn warm_content(&self, walk: &Walk<'_>, ino: Ino, attr: &Attr) -> Result<CacheReport> {
        let mut counts = CacheReport::default();
        if !attr.is_file() {
            return Ok(counts);
        }
        self.meta.check_access(walk.identity, attr, MAY_READ).await?;
        let mut chunk = ChunkIndex(0);
        let mut slices = self.meta.read_slices(ino, chunk).await?;
        loop {
            self.warm_chunk(walk, &slices, &mut counts).await?;
            match self.meta.next_slices(ino, chunk).await? {
                Some(next) => (chunk, slices) = next,
                None => return Ok(counts),
            }
        }
    }

    async fn warm_chunk(&self, walk: &Walk<'_>, slices: &[Slice], counts: &mut CacheReport) -> Result<()> {
        // Several pieces of a file may lie in one block.
        let mut places: HashMap<BlockId, BlockPlace> = HashMap::new();
        let mut bytes_of: HashMap<BlockId, u64> = HashMap::new();
        for segment in resolve(slices).into_iter().filter(|s| s.id != SliceId::HOLE) {
            counts.slice_count += 1;
            let blocks = self
                .chunks
                .blocks_of(segment.id, segment.size, segment.off, segment.len);
            for (block, bytes) in blocks {
                let bytes = u64::from(bytes);
                let place = *places
                    .entry(block)
                    .or_insert_with(|| self.chunks.place_of(&block));
                *bytes_of.entry(block).or_default() += bytes;
                counts.total_bytes += bytes;
                if self.is_missing(walk.purpose, place) {
                    counts.miss_bytes += bytes;
                }
                if place == BlockPlace::Staged {
                    counts.staged_bytes += bytes;
                }
            }
        }
        counts.block_count += places.len() as u64;
        for (block, bytes) in &bytes_of {
            if self.chunks.is_pinned(block) {
                counts.pinned_blocks += 1;
                counts.pinned_bytes += bytes;
                if places.get(block) == Some(&BlockPlace::Cache) {
                    counts.kept_blocks += 1;
                    counts.kept_bytes += bytes;
                }
            }
        }
        for place in places.into_values() {
            counts.miss_blocks += u64::from(self.is_missing(walk.purpose, place));
            counts.staged_blocks += u64::from(place == BlockPlace::Staged);
        }
        self.warm_blocks(walk, bytes_of).await
    }

    /// All are tried; the first failure is the one to tell.
    async fn warm_blocks(&self, walk: &Walk<'_>, blocks: HashMap<BlockId, u64>) -> Result<()> {
        let failure = Mutex::new(None);
        futures_util::stream::iter(blocks)
            .for_each_concurrent(walk.request.threads, |(block, bytes)| {
                self.warm_block(walk, block, bytes, &failure)
            })
            .await;
        failure.into_inner().map_or(Ok(()), Err)
    }

    async fn warm_block(&self, walk: &Walk<'_>, block: BlockId, bytes: u64, failure: &Mutex<Option<Error>>) {
        let done = match walk.purpose {
            Purpose::Act(CacheAction::Fill) => {
                // Never closed.
                let _turn = walk.turns.acquire().await;
                match walk.progress.check() {
                    Ok(()) => self.chunks.warm(block).await,
                    cancelled => cancelled,
                }
            }
            Purpose::Act(CacheAction::Evict) => {
                self.chunks.evict(&block);
                Ok(())
            }
            Purpose::Act(CacheAction::Check) | Purpose::Verify => Ok(()),
        };
        match done {
            Ok(()) => walk.progress.add(0, bytes),
            Err(error) => {
                failure.lock().get_or_insert(error);
            }
        }
    }

    /// Whether a walk counts a block as not there. What was fetched is to stay, which memory does not promise where
    /// there is a disk cache.
    fn is_missing(&self, purpose: Purpose, place: BlockPlace) -> bool {
        match place {
            BlockPlace::Store => true,
            BlockPlace::Memory => {
                purpose == Purpose::Verify && self.chunks.cache_place() != BlockPlace::Memory
            }
            BlockPlace::Cache | BlockPlace::Staged | BlockPlace::Local => false,
        }
    }
}

impl Walk<'_> {
    /// Whether a failure ends neither the walk nor what it is part of: what a caller may not see, or is not there any
    /// more, is nothing to be cached. It is named for whoever asked for details.
    fn passes_over(&self, path: &[u8], error: &Error) -> bool {
        let passed_over = matches!(
            error.kind(),
            ErrorKind::NotFound
                | ErrorKind::NotDirectory
                | ErrorKind::AccessDenied
                | ErrorKind::Stale
                | ErrorKind::InvalidArgument
                | ErrorKind::NameTooLong
        );
        if passed_over && self.request.detailed && self.purpose != Purpose::Verify {
            self.found.lock().report.note_failed(path, error);
        }
        passed_over
    }
}

/// The path of an entry of a folder.
fn below(folder: &[u8], name: &Name) -> Vec<u8> {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    [folder, b"/", name.as_bytes()].concat()
}
