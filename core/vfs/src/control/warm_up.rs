//! Command 1004: fill, drop or check the cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use moorage_meta::admin::Progress;
use moorage_meta::{Context, MAY_EXECUTE, MAY_READ};
use moorage_model::{Attr, ChunkIndex, Error, ErrorKind, Ino, Name, Result, SliceId, resolve};
use parking_lot::Mutex;
use serde::Serialize;

use super::codec::{Answer, CacheAction};
use super::summary::json;
use crate::Vfs;

/// Entries of a folder read at once.
const PAGE: usize = 1000;
/// Warm-ups at work at the same time whose callers do not wait: each may keep the paths of a whole request and is as
/// wide as it asked for, so more of them make none faster.
pub(crate) const MAX_BACKGROUND_WARM_UPS: usize = 8;

/// What is done for whom.
#[derive(Clone, Debug)]
pub(super) struct WarmUp {
    pub(super) identity: Context,
    pub(super) action: CacheAction,
    /// Files at work at once.
    pub(super) concurrency: usize,
}

/// Names are those that JuiceFS's commands read.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tally {
    file_count: AtomicU64,
    slice_count: AtomicU64,
    total_bytes: AtomicU64,
    /// Bytes that were not cached.
    miss_bytes: AtomicU64,
    /// Hosts of a shared cache, which this one is not.
    locations: serde_json::Map<String, serde_json::Value>,
    /// The first failure of a file; others are done all the same.
    #[serde(skip)]
    failure: Mutex<Option<Error>>,
}

impl Vfs {
    /// Fills, drops or checks what is cached of files, and of all files below folders, as far as the caller may read
    /// them. Paths that lead nowhere are passed over. In the background it ends with the mount.
    ///
    /// # Errors
    /// The first failure of engine or store; the other files were done all the same. `Busy` when as many as may are at
    /// work in the background.
    pub(super) async fn warm_up_by_command(
        self: &Arc<Self>,
        work: WarmUp,
        paths: &[Vec<u8>],
        background: bool,
        progress: &Arc<Progress>,
    ) -> Result<Answer> {
        if background {
            let turn = Arc::clone(&self.warm_ups).try_acquire_owned().map_err(|_| {
                Error::new(
                    ErrorKind::Busy,
                    format!("{MAX_BACKGROUND_WARM_UPS} warm-ups are at work in the background"),
                )
            })?;
            let (vfs, paths) = (Arc::clone(self), paths.to_vec());
            let mut stopping = self.stopping.subscribe();
            self.runtime.spawn(async move {
                let progress = Progress::default();
                tokio::select! {
                    done = vfs.warm_up(&work, &paths, &progress) => if let Err(error) = done {
                        tracing::warn!(%error, "a cache was not filled completely");
                    },
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
                drop(turn);
            });
            return json(&Tally::default());
        }
        json(&self.warm_up(&work, paths, progress).await?)
    }

    async fn warm_up(&self, work: &WarmUp, paths: &[Vec<u8>], progress: &Progress) -> Result<Tally> {
        let tally = Tally::default();
        let mut folders = Vec::new();
        for path in paths {
            match self.find(&work.identity, path).await {
                Ok((ino, attr)) if attr.is_directory() => folders.push(ino),
                Ok((ino, attr)) => self.warm_file(work, ino, &attr, &tally, progress).await,
                Err(error) if is_passed_over(error.kind()) => {
                    tracing::warn!(%error, path = %String::from_utf8_lossy(path), "nothing to cache");
                }
                Err(error) => return Err(error),
            }
        }
        while let Some(folder) = folders.pop() {
            self.warm_folder(work, folder, &mut folders, &tally, progress)
                .await?;
        }
        let failure = tally.failure.lock().take();
        match failure {
            Some(error) => Err(error),
            None => Ok(tally),
        }
    }

    /// The node behind a path from the root of the mount.
    async fn find(&self, identity: &Context, path: &[u8]) -> Result<(Ino, Attr)> {
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

    async fn warm_folder(
        &self,
        work: &WarmUp,
        folder: Ino,
        folders: &mut Vec<Ino>,
        tally: &Tally,
        progress: &Progress,
    ) -> Result<()> {
        let attr = self.meta.getattr(folder).await?;
        match self
            .meta
            .check_access(&work.identity, &attr, MAY_READ | MAY_EXECUTE)
            .await
        {
            Err(error) if is_passed_over(error.kind()) => return Ok(()),
            checked => checked?,
        }
        let mut after: Option<Name> = None;
        loop {
            progress.check()?;
            let page = self
                .meta
                .engine()
                .read_directory(folder, after.as_ref(), PAGE, true)
                .await?;
            let more = page.len() == PAGE;
            after = page.last().map(|item| item.name.clone());
            let mut files = Vec::new();
            for item in page {
                match item.attr {
                    Some(attr) if attr.is_directory() => folders.push(item.entry.ino),
                    Some(attr) if attr.is_file() => files.push((item.entry.ino, attr)),
                    _ => {}
                }
            }
            futures_util::stream::iter(&files)
                .for_each_concurrent(work.concurrency, |(ino, attr)| {
                    self.warm_file(work, *ino, attr, tally, progress)
                })
                .await;
            if !more {
                return Ok(());
            }
        }
    }

    async fn warm_file(&self, work: &WarmUp, ino: Ino, attr: &Attr, tally: &Tally, progress: &Progress) {
        match self.warm_content(work, ino, attr, tally).await {
            Ok(bytes) => {
                tally.file_count.fetch_add(1, Ordering::Relaxed);
                progress.add(1, bytes);
            }
            Err(error) if is_passed_over(error.kind()) => {}
            Err(error) => {
                let error = error.context(format!("inode {ino}"));
                tracing::warn!(%error, "a file was not cached");
                tally.failure.lock().get_or_insert(error);
            }
        }
    }

    /// Bytes that the file has.
    async fn warm_content(&self, work: &WarmUp, ino: Ino, attr: &Attr, tally: &Tally) -> Result<u64> {
        if !attr.is_file() {
            return Ok(0);
        }
        self.meta.check_access(&work.identity, attr, MAY_READ).await?;
        let mut bytes = 0;
        let mut chunk = ChunkIndex(0);
        let mut slices = self.meta.read_slices(ino, chunk).await?;
        loop {
            for segment in resolve(&slices).into_iter().filter(|s| s.id != SliceId::HOLE) {
                let place = (segment.id, segment.size, segment.off, segment.len);
                let missing = self.chunks.missing(place.0, place.1, place.2, place.3);
                match work.action {
                    CacheAction::Fill => self.chunks.warm(place.0, place.1, place.2, place.3).await?,
                    CacheAction::Evict => self.chunks.evict(place.0, place.1, place.2, place.3),
                    CacheAction::Check => {}
                }
                bytes += u64::from(segment.len);
                tally.slice_count.fetch_add(1, Ordering::Relaxed);
                tally
                    .total_bytes
                    .fetch_add(u64::from(segment.len), Ordering::Relaxed);
                tally
                    .miss_bytes
                    .fetch_add(missing.min(u64::from(segment.len)), Ordering::Relaxed);
            }
            match self.meta.next_slices(ino, chunk).await? {
                Some(next) => (chunk, slices) = next,
                None => return Ok(bytes),
            }
        }
    }
}

/// What a caller may not see, or is not there any more, is nothing to be cached.
fn is_passed_over(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotDirectory
            | ErrorKind::AccessDenied
            | ErrorKind::BadHandle
            | ErrorKind::InvalidArgument
            | ErrorKind::NameTooLong
    )
}
