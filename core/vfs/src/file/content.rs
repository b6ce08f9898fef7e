//! What this client knows of a file's content: the attributes, the slice lists, and the slices without a record.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Attr, CHUNK_SIZE, ChunkIndex, Segment, Slice, Timestamp, align4k, resolve};
use tokio::time::Instant;

use super::losses::Losses;
use super::pending::{Extent, Pending, PendingSlice};

/// Slice lists kept for one file; more are dropped together.
const MAX_CACHED_CHUNKS: usize = 1024;

/// The records of a chunk and what they show.
#[derive(Clone, Debug)]
pub(crate) struct ChunkList {
    slices: Vec<Slice>,
    segments: Arc<[Segment]>,
}

impl ChunkList {
    fn new(slices: Vec<Slice>) -> ChunkList {
        let segments = resolve(&slices).into();
        ChunkList { slices, segments }
    }

    /// Visible pieces by position.
    pub(crate) fn segments(&self) -> &Arc<[Segment]> {
        &self.segments
    }
}

/// Guarded by one short lock per file.
#[derive(Debug)]
pub(crate) struct Content {
    /// Attributes as last committed or read; the length without pending slices.
    pub(crate) attr: Attr,
    /// When `attr` was last known to be what the engine has.
    checked: Instant,
    /// The engine told that the file was changed since `attr` was read.
    suspected: bool,
    /// Moves with every change of `attr` or of a slice list made here, so that an answer of the engine that was
    /// asked for before is not taken for news.
    pub(crate) generation: u64,
    /// Another client changed the content since the kernel was last told to drop its pages.
    pub(crate) foreign_change: bool,
    /// Slices without a record, in the order they were begun.
    pub(crate) pending: Vec<Pending>,
    /// Number of the next slice.
    pub(crate) next_sequence: u64,
    /// Written data that was given up.
    pub(crate) losses: Losses,
    chunks: HashMap<ChunkIndex, ChunkList>,
}

impl Content {
    /// Of a file just opened.
    pub(crate) fn new(attr: Attr) -> Content {
        Content {
            attr,
            checked: Instant::now(),
            suspected: false,
            generation: 0,
            foreign_change: true,
            pending: Vec::new(),
            next_sequence: 0,
            losses: Losses::default(),
            chunks: HashMap::new(),
        }
    }

    /// Length with everything written here.
    pub(crate) fn length(&self) -> u64 {
        self.pending
            .iter()
            .map(Pending::file_end)
            .fold(self.attr.length, u64::max)
    }

    /// Space that the file will count beyond what it counts, once everything is committed, bytes.
    pub(crate) fn unrecorded(&self) -> i64 {
        align4k(self.length()).saturating_sub(align4k(self.attr.length))
    }

    /// The attributes with everything written here.
    pub(crate) fn shown(&self) -> Attr {
        let mut attr = self.attr.clone();
        self.overlay(&mut attr);
        attr
    }

    /// Puts what is written here and not committed over attributes that the engine gave.
    pub(crate) fn overlay(&self, attr: &mut Attr) {
        for pending in &self.pending {
            attr.length = attr.length.max(pending.file_end());
            attr.mtime = attr.mtime.max(pending.mtime);
            attr.ctime = attr.ctime.max(pending.mtime);
        }
    }

    /// Whether appends are being committed, or a commit of them ended without an answer.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.pending.iter().any(|p| p.doubtful && p.slice.appends)
    }

    /// Takes attributes that the engine gave when asked at `generation`. What came in between is newer. Says whether
    /// another client has changed the content. While appends are being committed, the length that was found may
    /// contain them, and they would be seen twice.
    pub(crate) fn refreshed(&mut self, attr: &Attr, generation: u64) -> bool {
        if self.generation != generation || self.is_in_doubt() {
            return false;
        }
        // Whoever rewrites a file may set its old times again, but not this one.
        let changed = content_differs(&self.attr, attr) || self.attr.ctime != attr.ctime;
        if changed {
            self.forget_lists();
            self.foreign_change = true;
        }
        self.replace_attr(attr.clone());
        changed
    }

    fn replace_attr(&mut self, attr: Attr) {
        self.attr = attr;
        self.checked = Instant::now();
        self.suspected = false;
        self.place_appends();
    }

    /// The engine told of a change: what is known is not trusted until it was read again, and what is being read now
    /// is not trusted either.
    pub(crate) fn suspect(&mut self) {
        self.suspected = true;
        self.generation += 1;
    }

    /// Whether the attributes are at most this old and nobody told of a change since.
    pub(crate) fn is_fresh(&self, lifetime: Duration) -> bool {
        !self.suspected && self.checked.elapsed() <= lifetime
    }

    /// Slices that go to the end follow the committed end, wherever it is now.
    fn place_appends(&mut self) {
        let mut end = self.attr.length;
        for pending in self.pending.iter_mut().filter(|p| p.slice.appends) {
            pending.start = end;
            end = pending.file_end();
        }
    }

    /// Takes attributes after a change of length or content by this client that is not a slice.
    pub(crate) fn rewritten(&mut self, attr: Attr) {
        self.forget_lists();
        self.replace_attr(attr);
    }

    /// Takes attributes after setattr. A change by another client may hide behind it, so lists are not trusted any
    /// longer, nor the kernel's pages; it sees to its own pages when the length is set.
    pub(crate) fn retimed(&mut self, attr: Attr, resized: bool) {
        self.foreign_change |= !resized && content_differs(&self.attr, &attr);
        self.rewritten(attr);
    }

    /// Takes attributes after a change by this client that touches neither content nor length: a new name, for example. Of
    /// those that differ in more, the next look will tell.
    pub(crate) fn renamed(&mut self, attr: &Attr) {
        if !content_differs(&self.attr, attr) {
            self.attr.ctime = attr.ctime;
            self.generation += 1;
        }
    }

    /// Forgets every slice list.
    pub(crate) fn forget_lists(&mut self) {
        self.chunks.clear();
        self.generation += 1;
    }

    /// The list of a chunk; `None` when it has to be read. Chunks behind the committed end have none.
    pub(crate) fn list(&self, chunk: ChunkIndex) -> Option<Option<&ChunkList>> {
        match self.chunks.get(&chunk) {
            Some(list) => Some(Some(list)),
            None if chunk.start() >= self.attr.length => Some(None),
            None => None,
        }
    }

    /// Keeps a list that was read when `generation` held; whether it is still good.
    pub(crate) fn keep_list(&mut self, chunk: ChunkIndex, slices: Vec<Slice>, generation: u64) -> bool {
        if self.generation != generation {
            return false;
        }
        if self.chunks.len() >= MAX_CACHED_CHUNKS {
            self.chunks.clear();
        }
        self.chunks.insert(chunk, ChunkList::new(slices));
        true
    }

    /// A slice that can take bytes at this offset of the file, which lie in one chunk, and where inside it: open, not
    /// behind a later slice that they would have to paint over.
    pub(crate) fn writable(&self, offset: u64, len: usize) -> Option<(Arc<PendingSlice>, u32)> {
        let (chunk, end) = (ChunkIndex::of(offset)?, offset + len as u64);
        for pending in self.pending.iter().rev().filter(|p| p.chunk() == chunk) {
            let first = pending.start + u64::from(pending.writable_from);
            if pending.open && offset >= first && offset <= pending.file_end() {
                // Below the chunk size.
                return Some((Arc::clone(&pending.slice), (offset - pending.start) as u32));
            }
            if offset < pending.file_end() && end > pending.start {
                return None;
            }
        }
        None
    }

    /// The slice that can take bytes at the end of the file, and where inside it: the last one, while it is open and in
    /// the chunk where it began.
    pub(crate) fn appendable(&self, len: usize) -> Option<(Arc<PendingSlice>, u32)> {
        let last = self.pending.last().filter(|p| p.open && p.slice.appends)?;
        let fits = u64::from(last.len) + len as u64 <= CHUNK_SIZE;
        (fits && !last.is_full()).then(|| (Arc::clone(&last.slice), last.len))
    }

    /// Whether slices wait whose place is decided in the other way: those of one file and time are all fixed, or all
    /// at the end.
    pub(crate) fn waits_otherwise(&self, appends: bool) -> bool {
        self.pending.iter().any(|p| p.slice.appends != appends)
    }

    /// Adds a slice just begun, at an offset of the file.
    pub(crate) fn begin(&mut self, slice: Arc<PendingSlice>, start: u64, mtime: Timestamp) {
        let now = Instant::now();
        self.pending.push(Pending {
            slice,
            start,
            len: 0,
            writable_from: 0,
            open: true,
            born: now,
            touched: now,
            mtime,
            doubtful: false,
        });
    }

    /// Notes what a write did to a slice. Says whether the slice is full now.
    pub(crate) fn written(&mut self, sequence: u64, extent: Extent, mtime: Timestamp) -> bool {
        let Some(pending) = self.find(sequence) else {
            return false;
        };
        pending.len = extent.len;
        pending.writable_from = extent.writable_from;
        pending.touched = Instant::now();
        pending.mtime = mtime;
        pending.is_full()
    }

    /// The pending slice with this number.
    pub(crate) fn find(&mut self, sequence: u64) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|p| p.slice.sequence == sequence)
    }

    /// Number of slices that take writes.
    pub(crate) fn open_slices(&self) -> usize {
        self.pending.iter().filter(|p| p.open).count()
    }

    /// Slices got their records. `before` are the attributes that the commit found: when they are not the ones known
    /// here, another client was at work.
    pub(crate) fn committed(
        &mut self,
        sequences: &[u64],
        records: &[(ChunkIndex, Slice)],
        before: &Attr,
        after: Attr,
    ) {
        if content_differs(&self.attr, before) {
            self.chunks.clear();
            self.foreign_change = true;
        }
        self.pending.retain(|p| !sequences.contains(&p.slice.sequence));
        let mut touched: Vec<ChunkIndex> = Vec::new();
        for (chunk, slice) in records {
            if let Some(list) = self.chunks.get_mut(chunk) {
                list.slices.push(*slice);
                touched.push(*chunk);
            } else if chunk.start() >= self.attr.length && !self.foreign_change {
                // Nothing lay there: the list of a new chunk is known without asking.
                self.chunks.insert(
                    *chunk,
                    ChunkList {
                        slices: vec![*slice],
                        segments: Arc::default(),
                    },
                );
                touched.push(*chunk);
            }
        }
        touched.dedup();
        for chunk in touched {
            if let Some(list) = self.chunks.get_mut(&chunk) {
                list.segments = resolve(&list.slices).into();
            }
        }
        self.replace_attr(after);
        self.generation += 1;
    }

    /// Slices are given up.
    pub(crate) fn dropped(&mut self, sequences: &[u64]) {
        self.pending.retain(|p| !sequences.contains(&p.slice.sequence));
        self.place_appends();
        self.forget_lists();
    }
}

/// Whether two states of a file differ in content, as far as attributes tell (spec 70-semantics section 5).
fn content_differs(known: &Attr, found: &Attr) -> bool {
    known.mtime != found.mtime || known.length != found.length
}
