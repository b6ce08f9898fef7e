//! Room that ends between a write and its commit: what fits is kept, and who wrote the rest is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{MemoryStore, ObjectStore};
use moorage_meta::{Context, Counting, QuotaLimits, UnlinkOptions};
use moorage_model::{CHUNK_SIZE, ErrorKind, Ino, Name, QuotaKey, Result};
use moorage_vfs::{Caller, FileHandle, SetAttrRequest, Vfs};
use volume::{BLOCK, FILE, READ, READ_WRITE, Volume, close, content, create, pattern};

/// Long enough for a slow machine, short enough to tell a deadlock.
const PATIENCE: Duration = Duration::from_secs(120);
const MIB: usize = 1 << 20;
// A client trusts its own numbers far below a limit, so what is written here is near it.

fn kind(result: Result<()>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

async fn limited(capacity: usize) -> (Arc<MemoryStore>, Volume) {
    let store = Arc::new(MemoryStore::new());
    let volume = Volume::limited(Arc::clone(&store) as Arc<dyn ObjectStore>, capacity as u64).await;
    (store, volume)
}

/// Takes room away behind the back of other clients.
async fn fill(volume: &Volume, bytes: usize) {
    let other = volume.client().await;
    let (entry, handle) = create(&other, "filler").await;
    // A hole counts like bytes.
    let size = SetAttrRequest {
        size: Some(bytes as u64),
        ..SetAttrRequest::default()
    };
    other
        .setattr(&Caller::root(), entry.ino, None, size)
        .await
        .unwrap();
    close(&other, handle).await.unwrap();
    other.shutdown().await.unwrap();
}

async fn free(vfs: &Vfs) -> u64 {
    let sizes = vfs.statfs(Ino::ROOT).await.unwrap();
    sizes.blocks_free * u64::from(sizes.block_size)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_long_slice_what_fits_is_kept_up_to_the_last_byte() {
    let (_, volume) = limited(8 * MIB).await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    let data = pattern(15 * MIB / 2, 1);
    vfs.write(handle, 0, &data).await.unwrap();
    fill(&volume, 5 * MIB).await;
    assert_eq!(kind(vfs.fsync(handle, false).await), Some(ErrorKind::NoSpace));
    let kept = content(&vfs, handle).await;
    assert!(!kept.is_empty() && kept[..] == data[..kept.len()]);
    assert_eq!(free(&vfs).await, 0, "{} bytes were kept", kept.len());
    close(&vfs, handle).await.unwrap();

    let other = volume.client().await;
    let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
    assert!(content(&other, opened.handle).await == kept, "another client");
    close(&other, opened.handle).await.unwrap();
    other.shutdown().await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slices_without_need_of_room_are_kept_and_objects_of_the_others_go() {
    let (store, volume) = limited(140 * MIB).await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, &pattern(BLOCK, 1)).await.unwrap();
    vfs.fsync(handle, false).await.unwrap();
    // The last of them paints over bytes that are there.
    vfs.write(handle, CHUNK_SIZE, &pattern(BLOCK, 2)).await.unwrap();
    vfs.write(handle, 2 * CHUNK_SIZE, &pattern(BLOCK, 3))
        .await
        .unwrap();
    vfs.write(handle, 100, b"painted over").await.unwrap();
    fill(&volume, 138 * MIB).await;
    assert_eq!(kind(vfs.fsync(handle, false).await), Some(ErrorKind::NoSpace));
    let mut expected = pattern(BLOCK, 1);
    expected[100..112].copy_from_slice(b"painted over");
    assert!(content(&vfs, handle).await == expected);
    close(&vfs, handle).await.unwrap();
    let gone = async {
        while store.list("chunks/", None, 100).await.unwrap().len() > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_quota_cuts_as_the_volume_does() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let folder = vfs
        .mkdir(&Caller::root(), Ino::ROOT, b"d", 0o755, 0)
        .await
        .unwrap();
    let (_, opened) = vfs
        .create(&Caller::root(), folder.ino, b"a", FILE, READ_WRITE)
        .await
        .unwrap();
    let data = pattern(3 * MIB, 4);
    vfs.write(opened.handle, 0, &data).await.unwrap();
    let limits = QuotaLimits {
        max_space: Some(MIB as i64),
        max_inodes: None,
    };
    let key = QuotaKey::Directory(folder.ino);
    vfs.meta()
        .set_quota(key, limits, Counting::Entries)
        .await
        .unwrap();
    assert_eq!(
        kind(vfs.fsync(opened.handle, false).await),
        Some(ErrorKind::QuotaExceeded)
    );
    // The folder itself counts nothing in its own quota, the empty file had its unit already.
    let kept = content(&vfs, opened.handle).await;
    assert!(kept[..] == data[..MIB]);
    let quota = vfs.meta().get_quota(key).await.unwrap().unwrap();
    assert_eq!(quota.used_space, quota.max_space);
    close(&vfs, opened.handle).await.unwrap();
    vfs.shutdown().await.unwrap();
}

/// A file with a loss, and its handle that was told of nothing yet.
async fn with_loss(volume: &Volume, vfs: &Vfs, name: &str) -> (Ino, FileHandle, FileHandle) {
    let (entry, writer) = create(vfs, name).await;
    let reader = vfs.open(&Caller::root(), entry.ino, READ).await.unwrap().handle;
    vfs.write(writer, 0, &pattern(15 * MIB / 2, 5)).await.unwrap();
    fill(volume, 5 * MIB).await;
    (entry.ino, writer, reader)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_handle_that_was_open_is_told_once_and_later_ones_are_not() {
    let (_, volume) = limited(8 * MIB).await;
    let vfs = volume.client().await;
    let (ino, writer, reader) = with_loss(&volume, &vfs, "a").await;
    assert_eq!(kind(vfs.flush(writer, None).await), Some(ErrorKind::NoSpace));
    let later = vfs.open(&Caller::root(), ino, READ_WRITE).await.unwrap().handle;
    assert_eq!(kind(vfs.fsync(writer, false).await), None, "told by flush");
    assert_eq!(kind(vfs.fsync(reader, false).await), Some(ErrorKind::NoSpace));
    assert_eq!(kind(vfs.fsync(reader, false).await), None, "told by fsync");
    assert_eq!(kind(vfs.fsync(later, false).await), None, "opened later");
    for handle in [writer, reader, later] {
        close(&vfs, handle).await.unwrap();
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_tells_of_a_loss_does_not_make_fsync_succeed() {
    let (_, volume) = limited(8 * MIB).await;
    let vfs = volume.client().await;
    let (ino, writer, reader) = with_loss(&volume, &vfs, "a").await;
    assert_eq!(kind(vfs.fsync(reader, false).await), Some(ErrorKind::NoSpace));
    let root = Context::root();
    let filler = Name::new(b"filler".as_slice()).unwrap();
    vfs.meta()
        .unlink(&root, Ino::ROOT, &filler, UnlinkOptions::default())
        .await
        .unwrap();
    let told = vfs.write(writer, 0, b"x").await.unwrap_err();
    assert_eq!(told.kind(), ErrorKind::NoSpace);
    vfs.write(writer, 0, b"x").await.unwrap();
    assert_eq!(kind(vfs.fsync(writer, false).await), Some(ErrorKind::NoSpace));
    assert_eq!(kind(vfs.fsync(writer, false).await), None);
    assert_eq!(vfs.read_bytes(writer, 0, 1).await.unwrap()[..], b"x"[..]);
    for handle in [writer, reader] {
        close(&vfs, handle).await.unwrap();
    }
    assert_eq!(
        ino,
        vfs.lookup(&Caller::root(), Ino::ROOT, b"a").await.unwrap().ino
    );
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_that_nobody_was_told_of_is_news_to_the_next_who_opens() {
    let (_, volume) = limited(8 * MIB).await;
    let vfs = volume.client().await;
    let (ino, writer, reader) = with_loss(&volume, &vfs, "a").await;
    for handle in [reader, writer] {
        // Without a flush, as when a mapping outlives close.
        vfs.release(handle, None).await.unwrap();
    }
    let next = vfs.open(&Caller::root(), ino, READ_WRITE).await.unwrap().handle;
    assert_eq!(kind(vfs.fsync(next, false).await), Some(ErrorKind::NoSpace));
    close(&vfs, next).await.unwrap();
    vfs.shutdown().await.unwrap();
}
