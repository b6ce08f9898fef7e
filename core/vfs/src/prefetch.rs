//! Fetching what a handle will probably read next.

use std::ops::Range;
use std::sync::Arc;

use moorage_chunk::ChunkStore;
use moorage_model::{CHUNK_SIZE, ChunkIndex, Segment, SliceId};

use crate::Vfs;
use crate::file::OpenFile;
use crate::handles::OpenedFile;

/// Part of the data memory that one handle may fill ahead.
const SHARE_OF_MEMORY: u64 = 4;
/// Chunks whose slice lists are read ahead at the same time, for all handles: each is a question to the engine that
/// nobody waits for, and a slow engine must not be asked more and more of them.
pub(crate) const MAX_LISTS_AHEAD: usize = 32;

impl Vfs {
    /// Notes a read and starts fetching what should follow. Returns at once; a short lock and, when something is to
    /// be fetched, what [`ChunkStore::prefetch`] costs.
    pub(crate) fn read_ahead(&self, opened: &OpenedFile, offset: u64, len: usize) {
        let most = self
            .options
            .max_readahead
            .min(self.options.buffer_size / SHARE_OF_MEMORY);
        let next = opened.readahead.lock().next(offset, len as u64, most);
        let Some(range) = next.filter(|_| !self.chunks.is_held()) else {
            return;
        };
        let end = range.end.min(opened.file.content().attr.length);
        let mut at = range.start;
        while at < end {
            let Some(chunk) = ChunkIndex::of(at) else { return };
            let stop = end.min(chunk.start() + CHUNK_SIZE);
            self.fetch_chunk(&opened.file, chunk, at..stop);
            at = stop;
        }
    }

    fn fetch_chunk(&self, file: &Arc<OpenFile>, chunk: ChunkIndex, range: Range<u64>) {
        if let Some(segments) = file.known_segments(chunk) {
            prefetch(&self.chunks, &segments, chunk, &range);
            return;
        }
        // Too many are on their way: the reader asks for itself.
        let Ok(turn) = Arc::clone(&self.lists_ahead).try_acquire_owned() else {
            return;
        };
        let (file, meta, chunks) = (Arc::clone(file), Arc::clone(&self.meta), Arc::clone(&self.chunks));
        self.runtime.spawn(async move {
            // A failure shows when somebody reads the chunk.
            if let Ok(segments) = file.segments(&meta, chunk).await {
                prefetch(&chunks, &segments, chunk, &range);
            }
            drop(turn);
        });
    }
}

fn prefetch(chunks: &Arc<ChunkStore>, segments: &[Segment], chunk: ChunkIndex, range: &Range<u64>) {
    for segment in segments.iter().filter(|segment| segment.id != SliceId::HOLE) {
        let start = chunk.start() + u64::from(segment.pos);
        let from = range.start.max(start);
        let to = range.end.min(start + u64::from(segment.len));
        if from < to {
            // Both are inside the segment, whose length has 32 bits.
            let (skip, len) = ((from - start) as u32, (to - from) as u32);
            chunks.prefetch(segment.id, segment.size, segment.off + skip, len);
        }
    }
}
