//! Which objects hold the content of a file (the command `info`).

use moorage_chunk::{BlockId, blocks};
use moorage_meta::admin::NodeInfo;
use moorage_model::{ChunkIndex, Segment, Setting, SliceId, resolve};

/// A run of bytes of a file and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPiece {
    /// Chunk of the file.
    pub chunk: ChunkIndex,
    /// Offset inside the chunk, bytes.
    pub pos: u32,
    /// The block whose object it is; `None` for zeros that no object holds.
    pub block: Option<BlockId>,
    /// Bytes of the whole block before compression; 0 for zeros.
    pub size: u32,
    /// First byte inside the block.
    pub off: u32,
    /// Bytes shown.
    pub len: u32,
}

/// The objects that show the content of a file, in the order of its bytes. Gaps that were never written are left out.
pub fn file_objects(info: &NodeInfo, setting: &Setting) -> Vec<ObjectPiece> {
    let block_size = setting.block_size << 10;
    let mut pieces = Vec::new();
    for (chunk, slices) in &info.chunks {
        for segment in resolve(slices) {
            if segment.id == SliceId::HOLE {
                pieces.push(ObjectPiece {
                    chunk: *chunk,
                    pos: segment.pos,
                    block: None,
                    size: 0,
                    off: 0,
                    len: segment.len,
                });
                continue;
            }
            let shown = blocks(segment.id, segment.size, block_size)
                .filter_map(|block| piece(*chunk, &segment, &block, block_size));
            pieces.extend(shown);
        }
    }
    pieces
}

/// What a segment shows of one block of its slice.
fn piece(chunk: ChunkIndex, segment: &Segment, block: &BlockId, block_size: u32) -> Option<ObjectPiece> {
    let start = u64::from(block.index) * u64::from(block_size);
    let end = start + u64::from(block.len);
    let (first, last) = (
        u64::from(segment.off).max(start),
        (u64::from(segment.off) + u64::from(segment.len)).min(end),
    );
    // All below 2^32: a slice has at most 2^26 bytes.
    (first < last).then(|| ObjectPiece {
        chunk,
        pos: segment.pos + (first - u64::from(segment.off)) as u32,
        block: Some(*block),
        size: block.len,
        off: (first - start) as u32,
        len: (last - first) as u32,
    })
}
