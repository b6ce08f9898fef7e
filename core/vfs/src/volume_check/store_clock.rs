//! The time as the object store tells it.

use std::time::SystemTime;

use bytes::Bytes;
use moorage_chunk::ObjectStore;
use moorage_model::{Clock, Result};

/// Key of the object that is written to see which time the store gives it, below the prefix of probes
/// (spec 10-setting section 6).
const PROBE_KEY: &str = "testing/moorage-clock";

/// The earlier of the client's and the store's present: an object is never taken for older than it is because one of
/// the two clocks is wrong. Writes and deletes one small object.
///
/// # Errors
/// What the store answers.
pub(super) async fn present(store: &dyn ObjectStore, clock: &dyn Clock) -> Result<SystemTime> {
    let own = SystemTime::from(clock.now());
    // The content differs each time, so that a store that keeps equal objects untouched writes it again.
    let body = format!("{:?}", clock.now());
    store.put(PROBE_KEY, Bytes::from(body)).await?;
    let written = store.head(PROBE_KEY).await;
    store.delete(PROBE_KEY).await?;
    Ok(written?.modified.map_or(own, |modified| modified.min(own)))
}
