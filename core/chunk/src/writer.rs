//! Writing one slice.

use std::sync::Arc;

use moorage_model::{CHUNK_SIZE, Error, ErrorKind, Ino, Result, SliceId, TierId};

use crate::block::BlockId;
use crate::buffer::{PoolBuffer, Share};
use crate::chunk_store::ChunkStore;
use crate::slice_blocks::{Progress, SliceBlocks};

/// A slice being written: bytes are gathered into blocks, each full block is uploaded at once.
///
/// Dropped without [`SliceWriter::finish`] or [`SliceWriter::abort`], it starts no further uploads; what it had
/// stored by then is left to garbage collection.
#[derive(Debug)]
pub struct SliceWriter {
    store: Arc<ChunkStore>,
    tier: TierId,
    owner: Option<Ino>,
    id: Option<SliceId>,
    len: u32,
    /// The block at the end, not full yet.
    tail: Option<(PoolBuffer, Share)>,
    blocks: Arc<SliceBlocks>,
    closed: bool,
}

impl SliceWriter {
    pub(crate) fn new(store: Arc<ChunkStore>, tier: TierId) -> SliceWriter {
        SliceWriter {
            store,
            tier,
            owner: None,
            id: None,
            len: 0,
            tail: None,
            blocks: Arc::default(),
            closed: false,
        }
    }

    /// Says which file is written, before anything is: with write-back, people hear which files are not stored yet.
    pub fn set_owner(&mut self, owner: Ino) {
        self.owner = Some(owner);
    }

    /// Gives the slice its id, once. Full blocks that were waiting for it begin their upload.
    pub fn set_id(&mut self, id: SliceId) {
        if self.id.is_none() {
            self.id = Some(id);
            for index in self.blocks.startable() {
                self.start(index);
            }
        }
    }

    /// The id, when it has one.
    pub fn id(&self) -> Option<SliceId> {
        self.id
    }

    /// Bytes written so far, gaps included.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// First offset that can still be written: everything before it is in sealed blocks.
    pub fn writable_from(&self) -> u32 {
        if self.closed { self.len } else { self.tail_start() }
    }

    fn tail_start(&self) -> u32 {
        u32::try_from(self.blocks.count())
            .unwrap_or(u32::MAX)
            .saturating_mul(self.store.config.block_size)
    }

    /// Writes at an offset inside the slice, from [`SliceWriter::writable_from`] on; a gap behind the end is filled
    /// with zeros. Waits only while the pool of write buffers is spent.
    ///
    /// Costs one copy into the block, no system call and no task; per new block two locks and, for a full one, a
    /// task that stores it. Dropped while it waits, a first part may have been written: [`SliceWriter::len`] tells.
    ///
    /// # Errors
    /// `InvalidArgument` before `writable_from` or after `finish`, `FileTooLarge` beyond the end of a chunk.
    pub async fn write_at(&mut self, off: u32, data: &[u8]) -> Result<()> {
        if self.closed || off < self.tail_start() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("offset {off} of a slice can not be written any more"),
            ));
        }
        if u64::from(off) + data.len() as u64 > CHUNK_SIZE {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                "a slice can not be longer than a chunk",
            ));
        }
        while self.len < off {
            let within = self.len - self.tail_start();
            let to = (off - self.tail_start()).min(self.store.config.block_size);
            let buffer = self.reserve(to as usize).await?;
            buffer.zero_fill(to as usize);
            self.grow(to - within);
        }
        let (mut off, mut rest) = (off, data);
        while !rest.is_empty() {
            let within = (off - self.tail_start()) as usize;
            let part = rest.len().min(self.store.config.block_size as usize - within);
            let (head, tail) = rest.split_at(part);
            let buffer = self.reserve(within + part).await?;
            buffer.write(within, head);
            off += part as u32;
            self.grow(off.saturating_sub(self.len));
            rest = tail;
        }
        Ok(())
    }

    /// Counts bytes added to the tail and seals it when it is full.
    fn grow(&mut self, bytes: u32) {
        self.len += bytes;
        if self.len - self.tail_start() == self.store.config.block_size {
            let index = self.seal_tail();
            if self.id.is_some() {
                self.start(index);
            }
        }
    }

    /// The tail with room for `bytes` bytes.
    async fn reserve(&mut self, bytes: usize) -> Result<&mut PoolBuffer> {
        let room = self.tail.as_ref().map_or(0, |(buffer, _)| buffer.capacity());
        if room < bytes || self.tail.is_none() {
            let (mut larger, share) = self.store.pool.take(bytes).await?;
            if let Some((smaller, _)) = &self.tail {
                larger.write(0, smaller.as_slice());
            }
            self.tail = Some((larger, share));
        }
        match &mut self.tail {
            Some((buffer, _)) => Ok(buffer),
            None => Err(Error::new(ErrorKind::Io, "no write buffer")),
        }
    }

    fn seal_tail(&mut self) -> usize {
        let index = self.blocks.count();
        if let Some((buffer, share)) = self.tail.take() {
            self.blocks.seal(buffer.freeze(), share);
        }
        index
    }

    fn block(&self, id: SliceId, index: usize, len: usize) -> BlockId {
        BlockId {
            slice: id,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            len: u32::try_from(len).unwrap_or(u32::MAX),
        }
    }

    /// Begins the upload of a sealed block in a task of its own.
    fn start(&self, index: usize) {
        let Some(id) = self.id else { return };
        let Some(bytes) = self.blocks.begin(index) else {
            return;
        };
        let block = self.block(id, index, bytes.len());
        let (store, blocks) = (Arc::clone(&self.store), Arc::clone(&self.blocks));
        let (tier, owner) = (self.tier, self.owner);
        self.store.runtime.spawn(async move {
            let ending = Ending {
                blocks: &blocks,
                index,
            };
            ending.report(store.store_block(block, owner, tier, bytes).await);
        });
    }

    /// Copies bytes that were written: from the buffers, or from the store for blocks that are there already.
    ///
    /// Ready on the first poll for what is still in buffers. Safe to drop.
    ///
    /// # Errors
    /// `InvalidArgument` behind the end; else as [`ChunkStore::read`].
    pub async fn read_at(&self, off: u32, buffer: &mut [u8]) -> Result<()> {
        let end = u64::from(off) + buffer.len() as u64;
        if end > u64::from(self.len) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "read behind the end of a slice being written",
            ));
        }
        let block_size = self.store.config.block_size;
        let (mut off, mut rest) = (off, buffer);
        while !rest.is_empty() {
            let (index, within) = ((off / block_size) as usize, (off % block_size) as usize);
            let part = rest.len().min(block_size as usize - within);
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(part);
            self.read_block(index, within, head).await?;
            off += part as u32;
            rest = tail;
        }
        Ok(())
    }

    async fn read_block(&self, index: usize, within: usize, out: &mut [u8]) -> Result<()> {
        let range = within..within + out.len();
        if let Some(bytes) = self.blocks.bytes(index) {
            return copy(&bytes, range, out);
        }
        if index == self.blocks.count() {
            let tail = self
                .tail
                .as_ref()
                .map_or(&[][..], |(buffer, _)| buffer.as_slice());
            return copy(tail, range, out);
        }
        let id = self.id.unwrap_or(SliceId::HOLE);
        let block_size = self.store.config.block_size;
        // Only the last block may be short, and its name gives the length of the slice.
        let start = u32::try_from(index)
            .unwrap_or(u32::MAX)
            .saturating_mul(block_size);
        let size = if self.len - start >= block_size {
            start + block_size
        } else {
            self.len
        };
        let off = start + u32::try_from(within).unwrap_or(u32::MAX);
        Box::pin(self.store.read_into(id, size, off, out)).await
    }

    /// Seals what is left and waits until every block is stored: [`SliceWriter::seal`] and [`SliceWriter::stored`].
    ///
    /// # Errors
    /// As [`SliceWriter::stored`].
    pub async fn finish(&mut self) -> Result<(SliceId, u32)> {
        self.seal();
        self.stored().await
    }

    /// Ends the slice: nothing can be written to it any more, and what is left becomes its last block.
    pub fn seal(&mut self) {
        self.closed = true;
        if self.tail.is_some() {
            self.seal_tail();
        }
    }

    /// Waits until every block of a sealed slice is stored (with write-back: durably staged). Returns what the slice
    /// record needs. After an error it may be called again and stores what is missing.
    ///
    /// Ready on the first poll for a slice whose only block is small and goes to a local folder: four system
    /// calls in place and no task. Safe to drop: uploads under way go on, and a later call waits for them.
    ///
    /// # Errors
    /// `InvalidArgument` without an id or before the slice is sealed; else the error of a block once its retries are
    /// spent.
    pub async fn stored(&self) -> Result<(SliceId, u32)> {
        let id = self.id.filter(|_| self.closed).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "a slice can not be finished before it is sealed and has an id",
            )
        })?;
        for index in self.blocks.startable() {
            let in_place = self
                .blocks
                .bytes(index)
                .filter(|bytes| self.store.stores_in_place(bytes.len()));
            match in_place {
                Some(_) => self.store_in_place(id, index).await,
                None => self.start(index),
            }
        }
        loop {
            let changed = self.blocks.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // Enlisted before the look, so that no change in between is missed.
            changed.as_mut().enable();
            match self.blocks.progress() {
                Progress::Stored => return Ok((id, self.len)),
                Progress::Failed(error) => return Err(error),
                Progress::Uploading => changed.await,
            }
        }
    }

    async fn store_in_place(&self, id: SliceId, index: usize) {
        let Some(bytes) = self.blocks.begin(index) else {
            return;
        };
        let block = self.block(id, index, bytes.len());
        let ending = Ending {
            blocks: &self.blocks,
            index,
        };
        ending.report(self.store.store_in_place(block, self.tier, bytes).await);
    }

    /// Gives the slice up: waits for uploads under way and deletes what was stored.
    ///
    /// # Errors
    /// The first deletion that failed; what is left then is found by garbage collection.
    pub async fn abort(mut self) -> Result<()> {
        self.closed = true;
        self.blocks.abandon();
        self.tail = None;
        loop {
            let changed = self.blocks.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if !self.blocks.is_uploading() {
                break;
            }
            changed.await;
        }
        let Some(id) = self.id else { return Ok(()) };
        let size: u32 = self.blocks.lengths().iter().sum();
        if size == 0 {
            Ok(())
        } else {
            self.store.remove(id, size).await
        }
    }
}

impl Drop for SliceWriter {
    fn drop(&mut self) {
        self.blocks.abandon();
    }
}

/// Reports the end of an upload, also when its future is dropped half-way.
struct Ending<'a> {
    blocks: &'a SliceBlocks,
    index: usize,
}

impl Ending<'_> {
    fn report(self, result: Result<()>) {
        self.blocks.end(self.index, result);
        std::mem::forget(self);
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.blocks.end(
            self.index,
            Err(Error::new(
                ErrorKind::Interrupted,
                "the upload of a block was cut off",
            )),
        );
    }
}

fn copy(bytes: &[u8], range: std::ops::Range<usize>, out: &mut [u8]) -> Result<()> {
    match bytes.get(range) {
        Some(part) => {
            out.copy_from_slice(part);
            Ok(())
        }
        None => Err(Error::new(
            ErrorKind::Io,
            "a block being written is shorter than its slice",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::{ChunkConfig, FileStore};

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the future waited"),
        }
    }

    #[test]
    fn small_slices_to_a_local_folder_are_written_read_and_removed_without_waiting_outside_the_runtime() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let chunks = runtime.block_on(async {
            let store = FileStore::open_quick(folder.path()).unwrap();
            ChunkStore::open(Arc::new(store), ChunkConfig::default(), "u")
                .await
                .unwrap()
        });
        let data: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let mut slice = chunks.new_slice(TierId(0));
        slice.set_id(SliceId(1));
        ready(slice.write_at(0, &data)).unwrap();
        ready(slice.finish()).unwrap();
        let mut back = vec![0; data.len()];
        ready(chunks.read_into(SliceId(1), data.len() as u32, 0, &mut back)).unwrap();
        assert_eq!(back, data);
        ready(chunks.remove(SliceId(1), data.len() as u32)).unwrap();
    }
}
