//! A few slices of a volume, for a look whether their objects are where the volume says.

use moorage_model::{Result, SliceId};

use crate::{Meta, Record, Scan};

/// Chunks looked at for each slice of the sample: one page, whatever it holds.
const CHUNKS_PER_SLICE: usize = 8;

impl Meta {
    /// Up to `most` slices that files show, with the bytes of their objects, spread over the first files of the volume;
    /// none when no file has content there. What is damaged is left out.
    ///
    /// Round trips: one.
    ///
    /// # Errors
    /// What the engine answers.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn sample_slices(&self, most: usize) -> Result<Vec<(SliceId, u32)>> {
        let page = self
            .engine
            .survey(&Scan::AllChunks, None, most.saturating_mul(CHUNKS_PER_SLICE))
            .await?;
        let mut slices: Vec<(SliceId, u32)> = Vec::new();
        for (_, record) in page.items {
            if let Record::Chunk(list) = record {
                slices.extend(list.iter().map(|slice| (slice.id, slice.size)));
            }
        }
        slices.retain(|(id, _)| *id != SliceId::HOLE);
        slices.sort_unstable();
        slices.dedup();
        let step = slices.len().div_ceil(most.max(1)).max(1);
        Ok(slices.into_iter().step_by(step).collect())
    }
}
