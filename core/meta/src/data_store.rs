//! What the metadata layer asks of the data layer.

use std::fmt;

use async_trait::async_trait;
use moorage_model::{Result, Segment, SliceId, TierId};

/// The objects of slices, as far as deletion, compaction and durability need them.
///
/// Implemented over the chunk store by the layer that owns both.
#[async_trait]
pub trait DataStore: Send + Sync + fmt::Debug {
    /// Removes every object of a slice of `size` bytes; objects that are gone already are no failure.
    ///
    /// Called only after the transaction that dropped the last owner is durable.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the store does not answer; the caller tries again later.
    async fn remove(&self, id: SliceId, size: u32) -> Result<()>;

    /// Writes the content that `segments` show, in order and without gaps, as the new slice `id` on `tier`,
    /// holes as zeros. Returns the size of the new slice in bytes once its objects can be read by all.
    ///
    /// # Errors
    /// `NotFound` when an object of a segment is missing: the caller gives the compaction up.
    async fn rewrite(&self, segments: &[Segment], id: SliceId, tier: TierId) -> Result<u32>;

    /// Returns when every object that was acknowledged so far survives power loss.
    async fn sync(&self) -> Result<()>;

    /// Returns when transfers that nobody waits for have to stop, at once when they have to already. Never, where they
    /// always may go on.
    async fn rest_begins(&self) {
        std::future::pending::<()>().await;
    }
}
