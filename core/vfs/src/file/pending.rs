//! A slice between its first byte and its record.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_chunk::{ChunkStore, SliceWriter};
use moorage_model::{ChunkIndex, Result, Slice, SliceId, TierId, Timestamp};
use tokio::sync::RwLock;
use tokio::time::Instant;

/// A slice that has no record yet. Readers and the one writer share it.
pub(crate) struct PendingSlice {
    /// Chunk it belongs to.
    pub(crate) chunk: ChunkIndex,
    /// Place of its first byte inside the chunk, bytes.
    pub(crate) pos: u32,
    /// Its id.
    pub(crate) id: SliceId,
    /// Position in the order in which the slices of a file were begun; later ones paint over earlier ones.
    pub(crate) sequence: u64,
    writer: RwLock<SliceWriter>,
    sealed: AtomicBool,
}

impl fmt::Debug for PendingSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSlice")
            .field("id", &self.id)
            .field("chunk", &self.chunk)
            .field("pos", &self.pos)
            .finish_non_exhaustive()
    }
}

/// What a write left of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Bytes of the slice.
    pub(crate) len: u32,
    /// First byte that can still be written.
    pub(crate) writable_from: u32,
}

impl PendingSlice {
    /// Begins a slice.
    pub(crate) fn new(
        chunks: &std::sync::Arc<ChunkStore>,
        tier: TierId,
        id: SliceId,
        place: (ChunkIndex, u32),
        sequence: u64,
    ) -> PendingSlice {
        let mut writer = chunks.new_slice(tier);
        writer.set_id(id);
        PendingSlice {
            chunk: place.0,
            pos: place.1,
            id,
            sequence,
            writer: RwLock::new(writer),
            sealed: AtomicBool::new(false),
        }
    }

    /// Writes at a place inside the chunk; `None` when the slice was sealed meanwhile. Tells through `extent` what the
    /// slice holds afterwards. A future dropped half-way tells nothing: its caller seals the slice and writes anew.
    pub(crate) async fn write(
        &self,
        pos: u32,
        data: &[u8],
        extent: &parking_lot::Mutex<Option<Extent>>,
    ) -> Option<Result<()>> {
        let mut writer = self.writer.write().await;
        if self.sealed.load(Ordering::Acquire) {
            return None;
        }
        let result = writer.write_at(pos - self.pos, data).await;
        *extent.lock() = Some(Extent {
            len: writer.len(),
            writable_from: writer.writable_from(),
        });
        Some(result)
    }

    /// Copies bytes from a place inside the chunk.
    pub(crate) async fn read(&self, pos: u32, out: &mut [u8]) -> Result<()> {
        self.writer.read().await.read_at(pos - self.pos, out).await
    }

    /// Ends the slice and returns its final length. Repeatable.
    pub(crate) async fn seal(&self) -> u32 {
        let mut writer = self.writer.write().await;
        if !self.sealed.swap(true, Ordering::AcqRel) {
            writer.seal();
        }
        writer.len()
    }

    /// Waits until its blocks are stored and returns its record.
    pub(crate) async fn stored(&self) -> Result<Slice> {
        let (id, size) = self.writer.read().await.stored().await?;
        Ok(Slice {
            pos: self.pos,
            id,
            size,
            off: 0,
            len: size,
        })
    }
}

/// A pending slice as its file sees it.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The slice.
    pub(crate) slice: std::sync::Arc<PendingSlice>,
    /// Bytes it holds.
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
    /// First byte behind it inside the chunk.
    pub(crate) fn end(&self) -> u32 {
        self.slice.pos.saturating_add(self.len)
    }

    /// First file offset behind it.
    pub(crate) fn file_end(&self) -> u64 {
        self.slice.chunk.start() + u64::from(self.end())
    }
}
