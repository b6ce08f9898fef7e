//! Metadata before deletion, data before metadata (DESIGN, "Durability").

use std::sync::Arc;

use moorage_meta::{Context, Meta};
use moorage_model::{ChunkIndex, Ino};

use crate::check::broken_invariants;
use crate::fixture::{Volume, name, quiet, write};
use crate::server_engine::ServerEngine;

/// Cuts the power at the first removal of an object.
fn cut_power_at_removal(volume: &Volume) {
    let engine = Arc::clone(&volume.engine);
    volume.data.before_removal(move |_| {
        engine.crash();
        Ok(())
    });
}

#[tokio::test]
async fn no_object_is_removed_before_its_deletion_is_durable() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    volume.meta.make_durable().await.unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    cut_power_at_removal(&volume);
    volume.flush().await;
    assert_eq!(volume.data.ids(), []);
    let found = volume.meta.lookup(&Context::root(), Ino::ROOT, &name("f")).await;
    assert!(found.is_err(), "the file is back without its bytes");
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_compaction_is_durable_before_the_old_objects_go() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    for part in 0..3 {
        volume.write(file, part * 10, 10).await;
    }
    volume.meta.make_durable().await.unwrap();
    volume.meta.compact_chunk(file, ChunkIndex(0)).await.unwrap();
    cut_power_at_removal(&volume);
    volume.flush().await;
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
    assert_eq!(
        volume.meta.read_slices(file, ChunkIndex(0)).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_barrier_syncs_the_data_and_then_keeps_the_metadata() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    let syncs = volume.data.syncs();
    volume.meta.make_durable().await.unwrap();
    assert!(volume.data.syncs() > syncs);
    volume.file(Ino::ROOT, "g").await;
    volume.engine.crash();
    let root = Context::root();
    assert!(volume.meta.lookup(&root, Ino::ROOT, &name("f")).await.is_ok());
    assert!(volume.meta.lookup(&root, Ino::ROOT, &name("g")).await.is_err());
}

#[tokio::test]
async fn one_barrier_serves_all_that_wait() {
    let volume = Volume::new().await;
    let before = volume.data.syncs();
    let waiting: Vec<_> = (0..50).map(|_| volume.meta.make_durable()).collect();
    for outcome in futures_util::future::join_all(waiting).await {
        outcome.unwrap();
    }
    assert!(
        volume.data.syncs() - before <= 4,
        "{}",
        volume.data.syncs() - before
    );
}

#[tokio::test]
async fn data_is_synced_before_a_commit_that_is_durable_at_once() {
    let volume = Volume::new().await;
    let engine = Arc::new(ServerEngine::new(Arc::clone(&volume.engine)));
    let meta = Meta::open(engine, quiet(), volume.clock.clone()).await.unwrap();
    meta.attach_data(volume.data.clone());
    let file = volume.file(Ino::ROOT, "f").await;
    for offset in [0, 10] {
        let syncs = volume.data.syncs();
        write(&meta, &volume.data, file, offset, 10).await.unwrap();
        assert_eq!(volume.data.syncs(), syncs + 1);
    }
    let syncs = volume.data.syncs();
    meta.compact_chunk(file, ChunkIndex(0)).await.unwrap();
    assert_eq!(volume.data.syncs(), syncs + 1);
}

#[tokio::test]
async fn slice_ids_handed_out_before_a_power_cut_never_come_back() {
    let volume = Volume::new().await;
    let before = volume.meta.allocate_slice().await.unwrap();
    volume.engine.crash();
    let after = volume.client(quiet()).await.allocate_slice().await.unwrap();
    assert!(after > before, "{after} {before}");
}
