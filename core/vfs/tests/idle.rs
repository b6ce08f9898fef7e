//! What happens to written data when nobody asks: under a clock that the test moves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moorage_chunk::ObjectStore;
use moorage_meta::Engine as _;
use moorage_model::ErrorKind;
use moorage_vfs::{Caller, OpenFlags, UnstoredFile};
use volume::faults::{FailingStore, RefusedCommits};
use volume::{READ, READ_WRITE, Volume, close, content, create};

#[tokio::test(start_paused = true)]
async fn idle_data_reaches_other_clients_without_a_close() {
    let volume = Volume::new().await;
    let (writer, reader) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&writer, "log").await;
    writer.write(handle, 0, b"a line").await.unwrap();
    let opened = reader.open(&Caller::root(), entry.ino, READ).await.unwrap();
    assert!(content(&reader, opened.handle).await.is_empty());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(content(&reader, opened.handle).await, b"a line");
    close(&writer, handle).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_written_all_the_time_is_committed_now_and_then() {
    let volume = Volume::new().await;
    let (writer, reader) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&writer, "log").await;
    for second in 0..30 {
        writer.write(handle, second, b"x").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let length = reader.getattr(entry.ino).await.unwrap().attr.length;
    assert!((10..=30).contains(&length), "{length}");
    close(&writer, handle).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn data_that_can_not_be_stored_before_garbage_collection_is_reported_lost() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"kept").await.unwrap();
    vfs.fsync(handle, false).await.unwrap();
    store.failures.store(u32::MAX, Ordering::SeqCst);
    vfs.write(handle, 4, b" lost").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    store.failures.store(0, Ordering::SeqCst);
    let lost = vfs.fsync(handle, false).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Io);
    vfs.fsync(handle, false).await.unwrap();
    assert_eq!(content(&vfs, handle).await, b"kept");
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn data_is_kept_while_the_database_is_full_missing_or_takes_no_changes() {
    let volume = Volume::new().await;
    let refused = RefusedCommits::default();
    volume.engine.set_fault(Some(Box::new(refused.clone())));
    let vfs = volume.client().await;
    let append = OpenFlags {
        append: true,
        ..READ_WRITE
    };
    for (name, kind, flags) in [
        ("full", ErrorKind::NoSpace, READ_WRITE),
        ("replica", ErrorKind::ReadOnly, READ_WRITE),
        ("no schema", ErrorKind::NotFound, READ_WRITE),
        ("no grant", ErrorKind::AccessDenied, READ_WRITE),
        ("no schema for a log", ErrorKind::NotFound, append),
        ("full log", ErrorKind::NoSpace, append),
    ] {
        let (entry, made) = create(&vfs, name).await;
        close(&vfs, made).await.unwrap();
        let handle = vfs.open(&Caller::root(), entry.ino, flags).await.unwrap().handle;
        vfs.write(handle, 0, b"written").await.unwrap();
        *refused.reason.lock() = Some(kind);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(vfs.fsync(handle, false).await.unwrap_err().kind(), kind, "{name}");
        *refused.reason.lock() = None;
        vfs.fsync(handle, false).await.unwrap();
        let other = volume.client().await;
        let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
        assert_eq!(content(&other, opened.handle).await, b"written", "{name}");
        close(&vfs, handle).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn data_is_kept_while_the_database_does_not_hold_the_volume() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"written").await.unwrap();
    volume.engine.wipe().await.unwrap();
    for _ in 0..2 {
        let error = vfs.fsync(handle, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DatabaseMissing, "{error}");
    }
    let ended = vfs.shutdown_within(Duration::from_secs(5)).await;
    assert_eq!(ended.unstored.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_forced_end_does_not_call_safe_what_no_barrier_made_durable() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"written").await.unwrap();
    close(&vfs, handle).await.unwrap();
    store.hangs.store(true, Ordering::SeqCst);
    let ended = vfs.shutdown_within(Duration::from_secs(5)).await;
    assert!(ended.unstored.is_empty());
    assert_eq!(ended.outcome.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_patient_shutdown_names_what_it_can_not_store_and_stores_it_once_there_is_room() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    let (_, stored) = create(&vfs, "stored").await;
    vfs.write(stored, 0, b"before").await.unwrap();
    close(&vfs, stored).await.unwrap();
    store.failures.store(u32::MAX, Ordering::SeqCst);
    let (entry, handle) = create(&vfs, "late").await;
    vfs.write(handle, 0, b"written").await.unwrap();
    let refused = close(&vfs, handle).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NoSpace);
    let mut told = Vec::new();
    let ended = vfs
        .shutdown_patiently(|files, error| {
            assert_eq!(error.kind(), ErrorKind::NoSpace);
            told.push(files.to_vec());
            if told.len() == 3 {
                store.failures.store(0, Ordering::SeqCst);
            }
        })
        .await;
    let late = UnstoredFile {
        ino: entry.ino,
        path: Some("/late".to_owned()),
        bytes: 7,
    };
    assert_eq!(told, vec![vec![late]; 3]);
    assert!(ended.unstored.is_empty());
    ended.outcome.unwrap();
    let next = volume.client().await;
    let opened = next.open(&Caller::root(), entry.ino, READ).await.unwrap();
    assert_eq!(content(&next, opened.handle).await, b"written");
}

#[tokio::test(start_paused = true)]
async fn a_patient_shutdown_ends_before_garbage_collection_and_names_what_is_lost() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    store.failures.store(u32::MAX, Ordering::SeqCst);
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"lost").await.unwrap();
    let begun = tokio::time::Instant::now();
    let ended = vfs.shutdown_patiently(|_, _| {}).await;
    assert!(begun.elapsed() < Duration::from_secs(3600));
    assert_eq!(ended.unstored.len(), 1);
    assert_eq!(ended.unstored[0].ino, entry.ino);
    assert_eq!(ended.unstored[0].path.as_deref(), Some("/a"));
    assert_eq!(ended.unstored[0].bytes, 0, "nothing is in memory any more");
    assert!(ended.outcome.is_err());
}
