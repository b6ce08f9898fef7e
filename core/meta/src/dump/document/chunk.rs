//! Members of `chunks`: the slice lists of a file.

use moorage_model::{ChunkIndex, Result, Slice, SliceId};
use serde::{Deserialize, Serialize};

use super::is_zero;

/// The records of one chunk, oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::dump) struct ChunkDocument {
    index: u32,
    slices: Vec<SliceDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SliceDocument {
    /// `chunkid` in dumps of old releases.
    #[serde(alias = "chunkid", default)]
    id: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pos: u32,
    #[serde(default)]
    size: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    off: u32,
    #[serde(default)]
    len: u32,
}

impl ChunkDocument {
    pub(in crate::dump) fn new(index: ChunkIndex, slices: &[Slice]) -> ChunkDocument {
        let documents = slices.iter().map(|slice| SliceDocument {
            id: slice.id.0,
            pos: slice.pos,
            size: slice.size,
            off: slice.off,
            len: slice.len,
        });
        ChunkDocument {
            index: index.0,
            slices: documents.collect(),
        }
    }

    /// The chunk and its records.
    ///
    /// # Errors
    /// `Corrupt` when a record leaves its chunk or its slice.
    pub(in crate::dump) fn into_records(self) -> Result<(ChunkIndex, Vec<Slice>)> {
        let slices = self.slices.into_iter().map(|document| {
            let slice = Slice {
                pos: document.pos,
                id: SliceId(document.id),
                size: document.size,
                off: document.off,
                len: document.len,
            };
            // Decoding is what checks a record.
            Slice::decode(&slice.encode())
        });
        Ok((ChunkIndex(self.index), slices.collect::<Result<_>>()?))
    }
}
