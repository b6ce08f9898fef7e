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
    /// Finds slice lists without a file, and removes them with the objects of slices that lose their last owner.
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
            for (ino, chunks) in self.without_a_file(page, &pending).await? {
                for batch in chunks.chunks(CHUNK_BATCH) {
                    let bytes: u64 = batch.iter().map(|chunk| chunk.bytes).sum();
                    let (count, keys) = (
                        batch.len() as u64,
                        batch.iter().map(|chunk| chunk.key.clone()).collect(),
                    );
                    if mode == ReclaimMode::Delete {
                        let dropped = match readable(self.drop_chunks_without_file(ino, keys).await) {
                            Ok(Some(slices)) => self.remove_slices(slices).await,
                            Ok(None) => {
                                found.damaged += count;
                                continue;
                            }
                            Err(error) => Err(error),
                        };
                        outcome = outcome.and(dropped);
                        progress.add(count, bytes);
                    }
                    found.add(count, bytes);
                }
            }
        }
        outcome.map(|()| found)
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
                    let damaged_or_there = match readable(self.engine.get(&[key]).await)? {
                        Some(mut node) => node.node()?.is_some(),
                        None => true,
                    };
                    if damaged_or_there {
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
