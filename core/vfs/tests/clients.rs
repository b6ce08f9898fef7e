//! Two clients of one volume whose caches promise the kernel a second.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::MemoryStore;
use moorage_meta::admin::SettingChange;
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{ErrorKind, Ino, SystemClock};
use moorage_vfs::{Caller, OpenFlags, Vfs};
use volume::{BLOCK, READ, READ_WRITE, Volume, cached, close, content, create, pattern};

const APPEND: OpenFlags = OpenFlags {
    append: true,
    ..READ_WRITE
};

#[tokio::test]
async fn an_append_goes_behind_what_another_client_has_synced() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let b = volume.client_with(cached(), MetaOptions::default()).await;
    let (entry, made) = create(&a, "log").await;
    close(&a, made).await.unwrap();
    let on_a = a.open(&Caller::root(), entry.ino, APPEND).await.unwrap().handle;
    let on_b = b.open(&Caller::root(), entry.ino, APPEND).await.unwrap().handle;
    for (vfs, handle, record) in [
        (&a, on_a, b"a1\n"),
        (&b, on_b, b"b1\n"),
        (&b, on_b, b"b2\n"),
        (&a, on_a, b"a2\n"),
        (&b, on_b, b"b3\n"),
    ] {
        vfs.write(handle, 0, record).await.unwrap();
        vfs.fsync(handle, false).await.unwrap();
    }
    close(&a, on_a).await.unwrap();
    close(&b, on_b).await.unwrap();
    let reader = volume.client().await;
    let read = reader
        .open(&Caller::root(), entry.ino, READ)
        .await
        .unwrap()
        .handle;
    assert_eq!(content(&reader, read).await, b"a1\nb1\nb2\na2\nb3\n");
}

#[tokio::test(start_paused = true)]
async fn a_changed_bandwidth_limit_reaches_a_running_client() {
    let volume = Volume::on(Arc::new(MemoryStore::new())).await;
    let vfs = volume.client().await;
    // 125,000 bytes per second.
    let limit = SettingChange {
        upload_limit: Some(1),
        ..SettingChange::default()
    };
    let engine: Arc<dyn Engine> = Arc::clone(&volume.engine) as _;
    Meta::change_setting(&engine, &SystemClock, move |setting| limit.apply(setting))
        .await
        .unwrap();
    vfs.meta().refresh_session().await.unwrap();
    // The follower runs beside the heartbeat.
    tokio::task::yield_now().await;
    let (_, handle) = create(&vfs, "a").await;
    let start = tokio::time::Instant::now();
    vfs.write(handle, 0, &pattern(20 * BLOCK, 1)).await.unwrap();
    close(&vfs, handle).await.unwrap();
    // 19 spans of 65,536 bytes at that rate, and no earlier than the saved-up time allows.
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
}

/// Sub-directories of a directory as a client shows them.
async fn subdirectories(vfs: &Vfs, ino: Ino) -> u32 {
    vfs.getattr(ino).await.unwrap().attr.nlink - 2
}

async fn make_directory(vfs: &Vfs, parent: Ino, name: &str) -> Ino {
    let made = vfs
        .mkdir(&Caller::root(), parent, name.as_bytes(), 0o755, 0)
        .await;
    made.unwrap().ino
}

#[tokio::test]
async fn a_directory_that_a_client_changed_is_known_to_it_for_as_long_as_attributes_may_be_cached() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let (b, uncached) = (volume.client().await, volume.client().await);
    let shared = make_directory(&a, Ino::ROOT, "shared").await;
    make_directory(&a, shared, "1").await;
    make_directory(&b, shared, "2").await;
    assert_eq!(subdirectories(&a, shared).await, 1, "it need not be read again");
    assert!(a.getattr(shared).await.unwrap().ttl < cached().attr_ttl);
    assert_eq!(subdirectories(&uncached, shared).await, 2);
    make_directory(&a, shared, "3").await;
    assert_eq!(
        subdirectories(&a, shared).await,
        3,
        "its own change saw the other one"
    );
    make_directory(&b, shared, "4").await;
    assert_eq!(
        subdirectories(&b, shared).await,
        4,
        "nothing may be cached for it"
    );
    a.lookup(&Caller::root(), Ino::ROOT, b"shared").await.unwrap();
    assert_eq!(subdirectories(&a, shared).await, 4, "time does not go back");
}

#[tokio::test]
async fn a_directory_that_a_client_removed_is_gone_for_it() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let gone = make_directory(&a, Ino::ROOT, "gone").await;
    a.rmdir(&Caller::root(), Ino::ROOT, b"gone").await.unwrap();
    let error = a.getattr(gone).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
