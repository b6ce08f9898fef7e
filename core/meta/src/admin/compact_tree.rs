//! Compaction of everything below a directory (the command `compact`).

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use moorage_model::{ChunkIndex, Ino, NodeType, Result};

use super::damage::readable;
use super::pages::Pages;
use super::progress::Progress;
use super::tree_walk::{TreeVisitor, walk};
use crate::data::CompactOutcome;
use crate::{DamagedRecord, DirectoryEntry, Key, Meta, Record, Scan};

/// Records from which a chunk can gain anything.
const WORTH_COMPACTING: usize = 2;

/// What a compaction of many chunks did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactSummary {
    /// Chunks looked at that had more than one record.
    pub chunks: u64,
    /// Chunks whose records became one.
    pub compacted: u64,
    /// Records that were replaced.
    pub replaced: u64,
    /// Chunks that changed meanwhile, of which an object is missing, or that can not be read.
    pub given_up: u64,
}

#[derive(Debug, Default)]
struct Counts {
    chunks: AtomicU64,
    compacted: AtomicU64,
    replaced: AtomicU64,
    given_up: AtomicU64,
}

impl Counts {
    fn note(&self, outcome: CompactOutcome) {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        match outcome {
            CompactOutcome::Replaced(records) => {
                self.compacted.fetch_add(1, Ordering::Relaxed);
                self.replaced.fetch_add(records as u64, Ordering::Relaxed);
            }
            CompactOutcome::GivenUp => {
                self.given_up.fetch_add(1, Ordering::Relaxed);
            }
            CompactOutcome::Nothing | CompactOutcome::Running => {}
        }
    }

    fn summary(&self) -> CompactSummary {
        CompactSummary {
            chunks: self.chunks.load(Ordering::Relaxed),
            compacted: self.compacted.load(Ordering::Relaxed),
            replaced: self.replaced.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
        }
    }
}

struct Compactor<'m> {
    meta: &'m Meta,
    concurrency: usize,
    progress: &'m Progress,
    counts: Counts,
}

impl Meta {
    /// Compacts every chunk of a file, or of all files below a directory, that gains from it. `progress` counts
    /// files.
    ///
    /// # Errors
    /// `NotFound`; `NotSupported` without a data store; the first failure of engine or store; `Interrupted` when
    /// cancelled. Chunks compacted before stay so.
    ///
    /// # Cancel safety
    /// Dropping the future may leave slices that `gc` finds, nothing else.
    pub async fn compact_tree(
        &self,
        ino: Ino,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<CompactSummary> {
        self.check_writable()?;
        let attr = self.getattr(ino).await?;
        let compactor = Compactor {
            meta: self,
            concurrency: concurrency.max(1),
            progress,
            counts: Counts::default(),
        };
        if attr.is_directory() {
            walk(self, &compactor, ino, concurrency, progress).await?;
        } else {
            compactor.file(ino).await?;
        }
        Ok(compactor.counts.summary())
    }

    /// Compacts every chunk of the volume that gains from it, those of deleted and trashed files too.
    ///
    /// # Errors
    /// See [`Meta::compact_tree`].
    pub async fn compact_volume(&self, concurrency: usize, progress: &Progress) -> Result<CompactSummary> {
        self.check_writable()?;
        let compactor = Compactor {
            meta: self,
            concurrency: concurrency.max(1),
            progress,
            counts: Counts::default(),
        };
        compactor.range(Scan::AllChunks).await?;
        Ok(compactor.counts.summary())
    }
}

impl Compactor<'_> {
    async fn file(&self, ino: Ino) -> Result<()> {
        self.range(Scan::Chunks(ino)).await?;
        self.progress.add(1, 0);
        Ok(())
    }

    /// Records that can not be read stay as they are.
    fn give_up(&self, damaged: usize) {
        self.counts.given_up.fetch_add(damaged as u64, Ordering::Relaxed);
    }

    async fn range(&self, range: Scan) -> Result<()> {
        let mut pages = Pages::new(range);
        while let Some(page) = pages.survey(self.meta).await? {
            self.give_up(page.damaged.len());
            let long: Vec<(Ino, ChunkIndex)> = page
                .items
                .into_iter()
                .filter_map(|item| match item {
                    (Key::Chunk(ino, chunk), Record::Chunk(slices)) => {
                        (slices.len() >= WORTH_COMPACTING).then_some((ino, chunk))
                    }
                    _ => None,
                })
                .collect();
            futures_util::stream::iter(long)
                .map(Ok)
                .try_for_each_concurrent(self.concurrency, |(ino, chunk)| async move {
                    self.progress.check()?;
                    match readable(self.meta.compact_chunk(ino, chunk).await)? {
                        Some(outcome) => self.counts.note(outcome),
                        None => self.give_up(1),
                    }
                    Ok::<(), moorage_model::Error>(())
                })
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl TreeVisitor for Compactor<'_> {
    type Place = Ino;

    fn directory(&self, place: &Ino) -> Ino {
        *place
    }

    fn damaged(&self, _: &Ino, entries: Vec<DamagedRecord>) -> Result<()> {
        self.give_up(entries.len());
        Ok(())
    }

    async fn page(&self, _: &Ino, entries: Vec<DirectoryEntry>) -> Result<Vec<Ino>> {
        self.progress.expect(entries.len() as u64);
        let mut directories = Vec::new();
        for item in entries {
            match item.entry.kind {
                NodeType::Directory => directories.push(item.entry.ino),
                NodeType::File if item.attr.as_ref().is_some_and(|attr| attr.length > 0) => {
                    self.file(item.entry.ino).await?;
                }
                _ => {
                    self.give_up(usize::from(item.damaged));
                    self.progress.add(1, 0);
                }
            }
        }
        Ok(directories)
    }

    async fn leave(&self, _: Ino) -> Result<()> {
        self.progress.add(1, 0);
        Ok(())
    }
}
