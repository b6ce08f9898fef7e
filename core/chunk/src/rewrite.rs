//! Writing the visible content of old slices as one new slice (compaction).

use moorage_model::{Error, ErrorKind, Result, Segment, SliceId, TierId};

use crate::chunk_store::{ChunkStore, closed};
use crate::writer::SliceWriter;

/// Bytes moved at a time: what a rewrite holds in memory beside the blocks under way.
const PIECE_BYTES: u32 = 1 << 20;

impl ChunkStore {
    /// Writes what `segments` show, in order and without gaps, as the new slice `id`, holes as zeros. Returns its
    /// size once every block is stored (with write-back: durably staged).
    ///
    /// Holds one piece of 1 MiB beside the blocks that wait for their upload, which the pool of write buffers
    /// bounds; the piece that follows is fetched meanwhile. Dropped half-way it leaves blocks to garbage collection.
    ///
    /// # Errors
    /// `InvalidArgument` when the segments leave a gap or show nothing; as [`ChunkStore::read`] when an old object
    /// can not be read; as [`SliceWriter::finish`] when a block can not be stored. What was stored by then is
    /// deleted again.
    pub async fn rewrite(&self, segments: &[Segment], id: SliceId, tier: TierId) -> Result<u32> {
        check(segments)?;
        let this = self.this.upgrade().ok_or_else(closed)?;
        let mut slice = this.new_slice(tier);
        slice.set_id(id);
        match self.copy(segments, &mut slice).await {
            Ok(size) => Ok(size),
            Err(error) => {
                // The first error is the one to report; what can not be deleted is found by garbage collection.
                let _ = slice.abort().await;
                Err(error)
            }
        }
    }

    async fn copy(&self, segments: &[Segment], slice: &mut SliceWriter) -> Result<u32> {
        let mut pieces = segments.iter().flat_map(pieces).peekable();
        while let Some(piece) = pieces.next() {
            if let Some(next) = pieces.peek()
                && let Some(this) = self.this.upgrade()
            {
                this.prefetch(next.id, next.size, next.off, next.len);
            }
            let bytes = self.read(piece.id, piece.size, piece.off, piece.len).await?;
            slice.write_at(slice.len(), &bytes).await?;
        }
        slice.finish().await.map(|(_, size)| size)
    }
}

/// A segment in parts of at most [`PIECE_BYTES`].
fn pieces(segment: &Segment) -> impl Iterator<Item = Segment> + use<> {
    let segment = *segment;
    (0..segment.len)
        .step_by(PIECE_BYTES as usize)
        .map(move |done| Segment {
            pos: segment.pos + done,
            off: if segment.id == SliceId::HOLE {
                0
            } else {
                segment.off + done
            },
            len: (segment.len - done).min(PIECE_BYTES),
            ..segment
        })
}

fn check(segments: &[Segment]) -> Result<()> {
    let refuse = |why: String| Err(Error::new(ErrorKind::InvalidArgument, why));
    let mut end = segments.first().map(|first| u64::from(first.pos));
    for segment in segments {
        if Some(u64::from(segment.pos)) != end {
            return refuse(format!(
                "the segments of a rewrite leave a gap or overlap at offset {} of their chunk",
                segment.pos
            ));
        }
        end = Some(u64::from(segment.pos) + u64::from(segment.len));
    }
    if segments.iter().all(|segment| segment.len == 0) {
        return refuse("a rewrite of no bytes".to_owned());
    }
    Ok(())
}
