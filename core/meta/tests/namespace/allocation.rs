//! Numbers that clients take in batches.

use std::sync::Arc;

use moorage_model::{Ino, SliceId};

use crate::fixture::Volume;
use crate::server_engine::meddled;

#[tokio::test]
async fn what_another_client_writes_while_a_batch_is_checked_is_no_sign_of_a_damaged_counter() {
    let volume = Arc::new(Volume::new().await);
    let file = volume.file(Ino::ROOT, "f").await;
    let (meta, engine) = meddled(&volume).await;
    let other = Arc::clone(&volume);
    engine.after_allocation(Box::pin(async move {
        other.write(file, 0, 100).await;
    }));
    let own = meta.allocate_slice().await.unwrap();
    assert_eq!(own, SliceId(1));
    assert!(
        volume.data.ids().iter().all(|slice| *slice > own),
        "the other one has a later batch"
    );
}
