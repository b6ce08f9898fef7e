//! Which slices a volume shows, in windows of bounded memory (spec 20-model section 6).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use moorage_model::{ChunkIndex, Error, ErrorKind, Ino, NodeType, Result, SliceId};
use parking_lot::Mutex;

use super::damage::Damage;
use super::pages::Pages;
use super::progress::Progress;
use super::tree_walk::{TreeVisitor, walk};
use crate::{DamagedRecord, DirectoryEntry, Key, Meta, Record, Scan};

/// Slices of one window; about 50 bytes each.
const WINDOW_SLICES: usize = 2_000_000;
/// Uses listed of lost slices.
const MAX_USES: usize = 10_000;

/// What is known of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SliceUse {
    /// Its length in bytes, by the records that show it, else by the stored reference.
    pub size: u32,
    /// Records in chunks that show it.
    pub records: u32,
    /// Occurrences in delayed-slice records.
    pub delayed: u32,
    /// Records disagree about its length, so nothing can be concluded from it.
    pub sizes_differ: bool,
    /// The stored number of owners; `None` means one.
    pub owners: Option<i64>,
}

impl SliceUse {
    fn note_size(&mut self, size: u32) {
        self.sizes_differ |= self.counted() > 0 && self.size != size;
        self.size = size;
    }

    /// The owners that the records make.
    pub fn counted(&self) -> i64 {
        i64::from(self.records) + i64::from(self.delayed)
    }

    /// The stored owners, where the absence of a number means one.
    pub fn stored(&self) -> i64 {
        self.owners.unwrap_or(1)
    }
}

/// The slices with ids from one on, up to `next`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceWindow {
    /// Slices that a record shows, a delayed record holds back, or a reference counts.
    pub slices: BTreeMap<SliceId, SliceUse>,
    /// Where the next window begins; `None` behind the last one.
    pub next: Option<SliceId>,
    /// Slice lists, delayed slices and references that can not be read: slices that only they name are missing here.
    pub damage: Damage,
}

impl SliceWindow {
    fn note(&mut self, id: SliceId, from: SliceId, limit: usize, change: impl FnOnce(&mut SliceUse)) {
        if id == SliceId::HOLE || id < from || self.next.is_some_and(|next| id >= next) {
            return;
        }
        change(self.slices.entry(id).or_default());
        if self.slices.len() > limit {
            // The lower half was counted from the beginning and stays; the upper half is the next window's.
            let middle = self.slices.keys().nth(limit / 2).copied();
            if let Some(middle) = middle {
                self.slices.split_off(&middle);
                self.next = Some(middle);
            }
        }
    }

    /// Whether the window speaks about this id.
    pub fn covers(&self, id: SliceId, from: SliceId) -> bool {
        id >= from && self.next.is_none_or(|next| id < next)
    }
}

/// A chunk that shows a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceShown {
    /// The slice.
    pub id: SliceId,
    /// The file.
    pub ino: Ino,
    /// The chunk of the file.
    pub chunk: ChunkIndex,
}

impl Meta {
    /// Counts the uses of all slices with ids from `from` on, at most two million of them; the others are left to the
    /// next window. Scans all chunks, delayed slices and references each time. Start with [`SliceId::HOLE`].
    ///
    /// Memory: 50 MB per million slices, bounded by two million.
    ///
    /// # Errors
    /// `Interrupted` when cancelled; what the engine answers. Records that can not be read are part of the answer.
    pub async fn slice_window(&self, from: SliceId, progress: &Progress) -> Result<SliceWindow> {
        self.slice_window_of(from, WINDOW_SLICES, progress).await
    }

    async fn slice_window_of(&self, from: SliceId, limit: usize, progress: &Progress) -> Result<SliceWindow> {
        let mut window = SliceWindow::default();
        for range in [Scan::AllChunks, Scan::DelayedSlices, Scan::SliceRefs] {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self).await? {
                progress.check()?;
                window.damage.note_all(&page.damaged);
                for (key, record) in page.items {
                    note_record(&mut window, &key, record, from, limit);
                }
            }
        }
        Ok(window)
    }

    /// Chunks that show any of these slices now, at most 10 000.
    ///
    /// # Errors
    /// See [`Meta::slice_window`].
    pub async fn chunks_showing(
        &self,
        wanted: &BTreeSet<SliceId>,
        progress: &Progress,
    ) -> Result<Vec<SliceShown>> {
        let mut shown = Vec::new();
        let mut pages = Pages::new(Scan::AllChunks);
        while let Some(page) = pages.survey(self).await? {
            progress.check()?;
            for (key, record) in page.items {
                let (Key::Chunk(ino, chunk), Record::Chunk(records)) = (key, record) else {
                    continue;
                };
                let mut seen = BTreeSet::new();
                for slice in records.iter().filter(|slice| wanted.contains(&slice.id)) {
                    if seen.insert(slice.id) && shown.len() < MAX_USES {
                        shown.push(SliceShown {
                            id: slice.id,
                            ino,
                            chunk,
                        });
                    }
                }
            }
        }
        Ok(shown)
    }

    /// The slices that the files below a node show, with the records of these files only, and the slice lists of them
    /// that can not be read.
    ///
    /// Memory: 50 MB per million slices.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` when there are more than two million of them; what the engine answers.
    pub async fn tree_slices(&self, ino: Ino, progress: &Progress) -> Result<SliceWindow> {
        let collector = Collector {
            meta: self,
            window: Mutex::default(),
        };
        if self.getattr(ino).await?.is_directory() {
            walk(self, &collector, ino, 1, progress).await?;
        } else {
            collector.file(ino).await?;
        }
        Ok(collector.window.into_inner())
    }

    /// Counts again the uses of some slices.
    pub(super) async fn count_slices(
        &self,
        wanted: &BTreeSet<SliceId>,
        progress: &Progress,
    ) -> Result<BTreeMap<SliceId, i64>> {
        let mut counted = BTreeMap::new();
        for range in [Scan::AllChunks, Scan::DelayedSlices] {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self).await? {
                progress.check()?;
                for (_, record) in page.items {
                    for id in slices_of(&record).filter(|id| wanted.contains(id)) {
                        *counted.entry(id).or_default() += 1;
                    }
                }
            }
        }
        Ok(counted)
    }
}

struct Collector<'m> {
    meta: &'m Meta,
    window: Mutex<SliceWindow>,
}

impl Collector<'_> {
    async fn file(&self, ino: Ino) -> Result<()> {
        let mut pages = Pages::new(Scan::Chunks(ino));
        while let Some(page) = pages.survey(self.meta).await? {
            let mut window = self.window.lock();
            window.damage.note_all(&page.damaged);
            for (key, record) in page.items {
                note_record(&mut window, &key, record, SliceId::HOLE, WINDOW_SLICES);
            }
            if window.next.is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("the tree shows more than {WINDOW_SLICES} slices"),
                )
                .with_advice("Check the whole volume, or its parts."));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl TreeVisitor for Collector<'_> {
    type Place = Ino;

    fn directory(&self, place: &Ino) -> Ino {
        *place
    }

    /// What they lead to is not known; the check of the namespace names them.
    fn damaged(&self, _: &Ino, _: Vec<DamagedRecord>) -> Result<()> {
        Ok(())
    }

    async fn page(&self, _: &Ino, entries: Vec<DirectoryEntry>) -> Result<Vec<Ino>> {
        let mut directories = Vec::new();
        for item in entries {
            match item.entry.kind {
                NodeType::Directory => directories.push(item.entry.ino),
                NodeType::File => self.file(item.entry.ino).await?,
                _ => {}
            }
        }
        Ok(directories)
    }

    async fn leave(&self, _: Ino) -> Result<()> {
        Ok(())
    }
}

fn note_record(window: &mut SliceWindow, key: &Key, record: Record, from: SliceId, limit: usize) {
    match (key, record) {
        (_, Record::Chunk(records)) => {
            for slice in records {
                window.note(slice.id, from, limit, |known| {
                    known.note_size(slice.size);
                    known.records += 1;
                });
            }
        }
        (_, Record::DelayedSlices(slices)) => {
            for slice in slices {
                window.note(slice.id, from, limit, |known| {
                    known.note_size(slice.size);
                    known.delayed += 1;
                });
            }
        }
        (Key::SliceRef(id, size), Record::Owners(owners)) => {
            window.note(*id, from, limit, |known| {
                if known.counted() == 0 {
                    known.size = *size;
                }
                known.owners = Some(owners);
            });
        }
        _ => {}
    }
}

fn slices_of(record: &Record) -> impl Iterator<Item = SliceId> {
    let ids: Vec<SliceId> = match record {
        Record::Chunk(records) => records.iter().map(|slice| slice.id).collect(),
        Record::DelayedSlices(slices) => slices.iter().map(|slice| slice.id).collect(),
        _ => Vec::new(),
    };
    ids.into_iter().filter(|id| *id != SliceId::HOLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorage_model::Slice;

    fn shows(id: u64) -> Slice {
        Slice {
            pos: 0,
            id: SliceId(id),
            size: 10,
            off: 0,
            len: 10,
        }
    }

    #[test]
    fn a_full_window_keeps_whole_counts_of_the_lower_ids() {
        let mut window = SliceWindow::default();
        let key = Key::Chunk(Ino(1), ChunkIndex(0));
        let records: Vec<Slice> = [9, 1, 5, 3, 7, 1, 9, 2].map(shows).to_vec();
        note_record(&mut window, &key, Record::Chunk(records), SliceId::HOLE, 4);
        let next = window.next.unwrap();
        assert!(window.slices.keys().all(|id| *id < next));
        assert_eq!(window.slices.get(&SliceId(1)).map(|known| known.records), Some(2));
        assert!(window.covers(SliceId(1), SliceId::HOLE) && !window.covers(SliceId(9), SliceId::HOLE));
    }
}
