//! Slice lists of files that do not exist and that nobody deletes: their slices have an owner, so no other job takes
//! them for garbage.
//!
//! A file on Redis that was cut by some gigabytes and deleted leaves those behind the gap (spec 30-redis lists no chunks of a
//! file), and clients of other make may leave some on every engine.

use std::collections::{BTreeMap, HashSet};

use moorage_model::{Ino, Result, SliceId};

use super::damage::readable;
use super::pages::Pages;
use super::progress::Progress;
use super::reclaim::{ReclaimMode, Reclaimed};
use crate::{Key, Meta, Record, Scan, Survey, TxnExt as _};

/// Slice lists dropped per transaction.
const CHUNK_BATCH: usize = 64;

impl Meta {
    /// Finds slice lists without a file, and removes them with the objects of slices that lose their last owner. A volume
    /// may be in use: a file that is deleted meanwhile counts as one whose deletion is pending.
    ///
    /// Reads all slice lists, and per thousand of them once the nodes of their files. Memory: 16 bytes per file whose
    /// deletion is pending.
    ///
    /// # Errors
    /// The first failure, damaged records aside; everything else was tried. `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Idempotent; slices left without owners are found by [`Meta::reclaim_dead_slices`].
    pub async fn reclaim_orphaned_chunks(&self, mode: ReclaimMode, progress: &Progress) -> Result<Reclaimed> {
        let pending = self.files_pending_deletion().await?;
        let mut found = Reclaimed::default();
        let mut outcome = Ok(());
        let mut pages = Pages::new(Scan::AllChunks);
        while let Some(page) = pages.survey(self).await? {
            progress.check()?;
            let mut orphaned = self.without_a_file(page, &pending).await?;
            self.keep_what_stays(&mut orphaned).await?;
            for (ino, chunks) in orphaned {
                for batch in chunks.chunks(CHUNK_BATCH) {
                    let (count, bytes) = (batch.len() as u64, batch.iter().map(|chunk| chunk.bytes).sum());
                    let removed = match mode {
                        ReclaimMode::DryRun => Ok(true),
                        ReclaimMode::Delete => self.remove_orphaned(ino, batch).await,
                    };
                    match removed {
                        Ok(true) => found.add(count, bytes),
                        Ok(false) => found.damaged += count,
                        Err(error) => outcome = outcome.and(Err(error)),
                    }
                    if mode == ReclaimMode::Delete {
                        progress.add(count, bytes);
                    }
                }
            }
        }
        outcome.map(|()| found)
    }

    /// `false` when a list can not be read any more.
    async fn remove_orphaned(&self, ino: Ino, chunks: &[OrphanedChunk]) -> Result<bool> {
        let keys = chunks.iter().map(|chunk| chunk.key.clone()).collect();
        match readable(self.drop_chunks_without_file(ino, keys).await)? {
            Some(slices) => self.remove_slices(slices).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Takes out the lists of files that were deleted since the pending deletions were read: either the deletion is on
    /// record now, or it is done and took the lists along.
    async fn keep_what_stays(&self, orphaned: &mut BTreeMap<Ino, Vec<OrphanedChunk>>) -> Result<()> {
        if orphaned.is_empty() {
            return Ok(());
        }
        let pending = self.files_pending_deletion().await?;
        orphaned.retain(|ino, _| !pending.contains(ino));
        for chunks in orphaned.values_mut() {
            let keys: Vec<Key> = chunks.iter().map(|chunk| chunk.key.clone()).collect();
            let Some(mut again) = readable(self.engine.get(&keys).await)? else {
                chunks.clear();
                continue;
            };
            let mut stays = Vec::with_capacity(chunks.len());
            for chunk in std::mem::take(chunks) {
                if again.chunk()?.is_some() {
                    stays.push(chunk);
                }
            }
            *chunks = stays;
        }
        Ok(())
    }

    /// Files whose data somebody is to remove.
    async fn files_pending_deletion(&self) -> Result<HashSet<Ino>> {
        let mut pending = HashSet::new();
        let mut pages = Pages::new(Scan::DeletedFiles);
        while let Some(page) = pages.survey(self).await? {
            let damaged = page.damaged.into_iter().filter_map(|found| found.key);
            let keys = page.items.into_iter().map(|(key, _)| key).chain(damaged);
            pending.extend(keys.filter_map(|key| match key {
                Key::DeletedFile(ino, _) => Some(ino),
                _ => None,
            }));
        }
        Ok(pending)
    }

    /// The lists of a page that belong to no file, by the inode that they name. A node that can not be read is one.
    async fn without_a_file(
        &self,
        page: Survey,
        pending: &HashSet<Ino>,
    ) -> Result<BTreeMap<Ino, Vec<OrphanedChunk>>> {
        let mut lists: BTreeMap<Ino, Vec<OrphanedChunk>> = BTreeMap::new();
        for (key, record) in page.items {
            if let (Key::Chunk(ino, _), Record::Chunk(slices)) = (&key, record)
                && !pending.contains(ino)
            {
                let shown = slices.iter().filter(|slice| slice.id != SliceId::HOLE);
                let bytes = shown.map(|slice| u64::from(slice.size)).sum();
                lists.entry(*ino).or_default().push(OrphanedChunk { key, bytes });
            }
        }
        let files: Vec<Ino> = lists.keys().copied().collect();
        let keys: Vec<Key> = files.iter().map(|ino| Key::Node(*ino)).collect();
        match readable(self.engine.get(&keys).await)? {
            Some(mut nodes) => {
                for ino in files {
                    if nodes.node()?.is_some() {
                        lists.remove(&ino);
                    }
                }
            }
            None => {
                for (ino, key) in files.into_iter().zip(keys) {
                    let is_missing = match readable(self.engine.get(&[key]).await)? {
                        Some(mut node) => node.node()?.is_none(),
                        None => false,
                    };
                    if !is_missing {
                        lists.remove(&ino);
                    }
                }
            }
        }
        Ok(lists)
    }
}

/// A slice list without a file.
struct OrphanedChunk {
    key: Key,
    /// Sizes of the slices that it names.
    bytes: u64,
}
