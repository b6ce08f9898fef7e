//! A slice between its first byte and its record.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use moorage_chunk::{ChunkStore, SliceWriter};
use moorage_model::{CHUNK_SIZE, ChunkIndex, Ino, Result, SliceId, TierId, Timestamp};
use tokio::sync::RwLock;
use tokio::time::Instant;

/// A slice that has no record yet. Readers and the one writer share it.
pub(crate) struct PendingSlice {
    /// Its id.
    pub(crate) id: SliceId,
    /// Position in the order in which the slices of a file were begun; later ones paint over earlier ones.
    pub(crate) sequence: u64,
    /// Its bytes belong at the end of the file, wherever that is when they are committed.
    pub(crate) appends: bool,
    writer: RwLock<SliceWriter>,
    /// Bytes that belong to complete writes.
    whole: AtomicU32,
    /// Bytes it ended with.
    sealed: OnceLock<u32>,
}

impl fmt::Debug for PendingSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSlice")
            .field("id", &self.id)
            .field("appends", &self.appends)
            .finish_non_exhaustive()
    }
}

/// What a write left of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Bytes that it shows.
    pub(crate) len: u32,
    /// First byte that can still be written.
    pub(crate) writable_from: u32,
}

impl PendingSlice {
    /// Begins a slice of the file `ino`.
    pub(crate) fn new(
        chunks: &std::sync::Arc<ChunkStore>,
        ino: Ino,
        tier: TierId,
        id: SliceId,
        sequence: u64,
        appends: bool,
    ) -> PendingSlice {
        let mut writer = chunks.new_slice(tier);
        writer.set_owner(ino);
        writer.set_id(id);
        PendingSlice {
            id,
            sequence,
            appends,
            writer: RwLock::new(writer),
            whole: AtomicU32::new(0),
            sealed: OnceLock::new(),
        }
    }

    /// Writes at an offset inside the slice; `None` when the slice was sealed meanwhile. Tells through `extent` what the
    /// slice holds afterwards. A future dropped half-way tells nothing: its caller seals the slice and writes anew.
    pub(crate) async fn write(
        &self,
        off: u32,
        data: &[u8],
        extent: &parking_lot::Mutex<Option<Extent>>,
    ) -> Option<Result<()>> {
        let mut writer = self.writer.write().await;
        if self.sealed.get().is_some() {
            return None;
        }
        let result = writer.write_at(off, data).await;
        if result.is_ok() {
            self.whole.store(writer.len(), Ordering::Release);
        }
        *extent.lock() = Some(Extent {
            len: self.shown(&writer),
            writable_from: writer.writable_from(),
        });
        Some(result)
    }

    /// Copies bytes from an offset inside the slice.
    pub(crate) async fn read(&self, off: u32, out: &mut [u8]) -> Result<()> {
        self.writer.read().await.read_at(off, out).await
    }

    /// Ends the slice and returns how many bytes it shows. Repeatable.
    pub(crate) async fn seal(&self) -> u32 {
        let mut writer = self.writer.write().await;
        self.sealed.get_or_init(|| {
            writer.seal();
            writer.len()
        });
        self.shown(&writer)
    }

    /// Bytes that get a record. A part of a write that was broken off is written once more at its place, which covers
    /// it; the end of a file is not the same place again, so appends leave it out.
    fn shown(&self, writer: &SliceWriter) -> u32 {
        if self.appends {
            self.whole.load(Ordering::Acquire)
        } else {
            writer.len()
        }
    }

    /// Bytes of its objects, once it has ended; 0 before.
    pub(crate) fn size(&self) -> u32 {
        self.sealed.get().copied().unwrap_or(0)
    }

    /// Waits until its blocks are stored and returns the bytes of its objects.
    pub(crate) async fn stored(&self) -> Result<u32> {
        let (_, size) = self.writer.read().await.stored().await?;
        Ok(size)
    }
}

/// A pending slice as its file sees it.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The slice.
    pub(crate) slice: std::sync::Arc<PendingSlice>,
    /// Offset of its first byte in the file. That of a slice with a fixed place never changes, and its chunk holds all
    /// of it.
    pub(crate) start: u64,
    /// Bytes it shows.
    pub(crate) len: u32,
    /// First byte inside the slice that can still be written.
    pub(crate) writable_from: u32,
    /// Writes may go into it.
    pub(crate) open: bool,
    /// When it was begun; its blocks must have a record within an hour.
    pub(crate) born: Instant,
    /// When it was last written.
    pub(crate) touched: Instant,
    /// Modification time that its last write gives the file.
    pub(crate) mtime: Timestamp,
    /// A commit ended without an answer: the record may exist.
    pub(crate) doubtful: bool,
}

impl Pending {
    /// The chunk of its first byte.
    pub(crate) fn chunk(&self) -> ChunkIndex {
        // Writes check the end against the format's limit, which is far below what an index holds.
        ChunkIndex::of(self.start).unwrap_or(ChunkIndex(u32::MAX))
    }

    /// First file offset behind it.
    pub(crate) fn file_end(&self) -> u64 {
        self.start + u64::from(self.len)
    }

    /// Whether it reaches the end of its chunk. One that appends may pass it with its last write, so that a write is
    /// never in two slices.
    pub(crate) fn is_full(&self) -> bool {
        self.file_end() >= self.chunk().start() + CHUNK_SIZE
    }

    /// What it shows of a chunk: from, to inside the chunk, and the offset of the first of these bytes inside it.
    pub(crate) fn within(&self, chunk: ChunkIndex) -> Option<(u32, u32, u32)> {
        let (first, last) = (chunk.start(), chunk.start() + CHUNK_SIZE);
        let (from, to) = (self.start.max(first), self.file_end().min(last));
        // Bounded by the chunk size and by the length of the slice.
        (from < to).then(|| {
            (
                (from - first) as u32,
                (to - first) as u32,
                (from - self.start) as u32,
            )
        })
    }
}
