//! The records of a chunk.

use std::collections::{BTreeMap, BTreeSet};

use moorage_model::{ChunkIndex, ErrorKind, Ino, Result, Slice, SliceId};

use crate::admin::Pages;
use crate::{Key, Meta, Record, Scan, TxnExt as _};

impl Meta {
    /// The slice records of a chunk, oldest first; empty when nothing was written there.
    ///
    /// A list worth compacting is compacted in the background (spec 20-model section 8).
    ///
    /// Round trips: one; a second one when the list is empty.
    ///
    /// # Errors
    /// `NotPermitted` when the node is no regular file, `Stale` when it is gone (another client deleted the
    /// file), `Corrupt` for a damaged record.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read_slices(&self, ino: Ino, chunk: ChunkIndex) -> Result<Vec<Slice>> {
        let slices = self
            .engine
            .get(&[Key::Chunk(ino, chunk)])
            .await?
            .chunk()?
            .unwrap_or_default();
        if slices.is_empty() {
            match self.engine.get(&[Key::Node(ino)]).await?.node()? {
                Some(attr) if attr.is_file() => {}
                Some(_) => return Err(ErrorKind::NotPermitted.into()),
                None => return Err(ErrorKind::Stale.into()),
            }
        }
        self.slice_counts.counted(ino, chunk, slices.len());
        self.compact_after_read(ino, chunk, &slices);
        Ok(slices)
    }

    /// The first chunk behind `chunk` that has records, with them; `None` when there is none. However sparse the file
    /// is, one round trip.
    ///
    /// # Errors
    /// `Corrupt` for a damaged record.
    pub async fn next_slices(&self, ino: Ino, chunk: ChunkIndex) -> Result<Option<(ChunkIndex, Vec<Slice>)>> {
        let page = self
            .engine
            .scan(&Scan::Chunks(ino), Some(&Key::Chunk(ino, chunk)), 1)
            .await?;
        Ok(page.items.into_iter().find_map(|item| match item {
            (Key::Chunk(_, next), Record::Chunk(slices)) => Some((next, slices)),
            _ => None,
        }))
    }

    /// Which of these new slices, given with their sizes, have had a record in this file: they have one, or had one until
    /// a compaction put another slice in their place. One that was removed with its objects since is not found.
    ///
    /// Reads every chunk of the file, page by page; for slices that are not there their owners, and slices that the trash
    /// keeps.
    ///
    /// # Errors
    /// `Corrupt` for a damaged record.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn recorded_slices(
        &self,
        ino: Ino,
        slices: &BTreeMap<SliceId, u32>,
    ) -> Result<BTreeSet<SliceId>> {
        let mut missing = slices.clone();
        let mut pages = Pages::new(Scan::Chunks(ino));
        while let Some(page) = pages.next(self).await? {
            for (_, record) in page {
                if let Record::Chunk(list) = record {
                    missing.retain(|id, _| list.iter().all(|slice| slice.id != *id));
                }
            }
        }
        // In this order: what leaves a list meanwhile is found behind it.
        let keys: Vec<Key> = missing
            .iter()
            .map(|(id, size)| Key::SliceRef(*id, *size))
            .collect();
        let mut owners = self.engine.get(&keys).await?;
        for key in &keys {
            if let (Key::SliceRef(id, _), Some(_)) = (key, owners.owners()?) {
                missing.remove(id);
            }
        }
        let mut pages = Pages::new(Scan::DelayedSlices);
        while !missing.is_empty()
            && let Some(page) = pages.next(self).await?
        {
            for (_, record) in page {
                if let Record::DelayedSlices(list) = record {
                    missing.retain(|id, _| list.iter().all(|slice| slice.id != *id));
                }
            }
        }
        let found = slices.keys().copied().filter(|id| !missing.contains_key(id));
        Ok(found.collect())
    }
}
