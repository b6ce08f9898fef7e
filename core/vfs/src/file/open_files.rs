//! The table of files that are open, or were until recently.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moorage_model::{Attr, Ino};
use parking_lot::RwLock;
use quick_cache::sync::Cache;

use super::OpenFile;

/// Closed files whose slice lists are kept for the next open.
const REMEMBERED_FILES: usize = 10_000;

/// Files by inode.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    /// With a handle or with uncommitted content.
    live: RwLock<HashMap<Ino, Arc<OpenFile>>>,
    /// Closed and committed.
    remembered: Cache<Ino, Arc<OpenFile>>,
    unrecorded: AtomicI64,
}

impl OpenFiles {
    /// An empty table.
    pub(crate) fn new() -> OpenFiles {
        OpenFiles {
            live: RwLock::default(),
            remembered: Cache::new(REMEMBERED_FILES),
            unrecorded: AtomicI64::new(0),
        }
    }

    /// The file, when it is open or has uncommitted content.
    pub(crate) fn get(&self, ino: Ino) -> Option<Arc<OpenFile>> {
        self.live.read().get(&ino).map(Arc::clone)
    }

    /// The file, also when it is only remembered, and the generation of its content.
    pub(crate) fn known(&self, ino: Ino) -> Option<(Arc<OpenFile>, u64)> {
        let file = self.get(ino).or_else(|| self.remembered.get(&ino))?;
        let generation = file.content().generation;
        Some((file, generation))
    }

    /// The file for one handle more, made from attributes when nothing is known of it; whether it was made.
    ///
    /// One exclusive lock, one look-up; a second one for a file that is not open.
    pub(crate) fn acquire(&self, ino: Ino, attr: &Attr) -> (Arc<OpenFile>, bool) {
        let mut made = false;
        let mut live = self.live.write();
        let file = live
            .entry(ino)
            .or_insert_with(|| match self.remembered.remove(&ino) {
                Some((_, file)) => file,
                None => {
                    made = true;
                    OpenFile::new(ino, attr.clone())
                }
            });
        file.handles.fetch_add(1, Ordering::AcqRel);
        (Arc::clone(file), made)
    }

    /// Gives one handle back. A file with nothing left to commit is only remembered from then on.
    pub(crate) fn release(&self, file: &Arc<OpenFile>) {
        let mut live = self.live.write();
        let before = file.handles.fetch_sub(1, Ordering::AcqRel);
        if before == 1 && !file.is_dirty() {
            live.remove(&file.ino);
            self.remembered.insert(file.ino, Arc::clone(file));
        }
    }

    /// Lets go of a file that nobody has open, once it is clean.
    pub(crate) fn retire(&self, file: &Arc<OpenFile>) {
        let mut live = self.live.write();
        if !file.is_open() && !file.is_dirty() && live.remove(&file.ino).is_some() {
            self.remembered.insert(file.ino, Arc::clone(file));
        }
    }

    /// Takes over what a file will count once it is committed, bytes, and returns what all others will. An estimate: a
    /// write tells what it is going to add, and a commit what is left.
    pub(super) fn note_unrecorded(&self, file: &OpenFile, space: i64) -> i64 {
        let change = space - file.unrecorded.swap(space, Ordering::Relaxed);
        let before = if change == 0 {
            self.unrecorded.load(Ordering::Relaxed)
        } else {
            self.unrecorded.fetch_add(change, Ordering::Relaxed)
        };
        before + change - space
    }

    /// Files with uncommitted content.
    pub(crate) fn dirty(&self) -> Vec<Arc<OpenFile>> {
        let live = self.live.read();
        live.values()
            .filter(|file| file.is_dirty())
            .map(Arc::clone)
            .collect()
    }

    /// Lets nothing of what is known be trusted until it was read again; the files that are open or dirty.
    pub(crate) fn suspect_all(&self) -> Vec<Arc<OpenFile>> {
        let live = self.live.read();
        self.remembered.clear();
        for file in live.values() {
            file.content_mut().suspect();
        }
        live.values().map(Arc::clone).collect()
    }

    /// Number of files that are open or dirty.
    pub(crate) fn len(&self) -> usize {
        self.live.read().len()
    }
}
