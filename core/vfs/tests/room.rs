//! Writes that a limit known to this client refuses: they are told at once, before anything is stored.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;

use moorage_chunk::MemoryStore;
use moorage_meta::{Counting, QuotaLimits};
use moorage_model::{ErrorKind, Ino, QuotaKey};
use moorage_vfs::{Caller, FileHandle, OpenFlags, Vfs, WriteOrigin};
use volume::{BLOCK, FILE, READ_WRITE, Volume, close, content, create, pattern};

const MIB: usize = 1 << 20;
const CAPACITY: usize = 4 * MIB;
/// Bytes of one write, which do not divide a limit.
const PIECE: usize = 300_000;

async fn limited() -> Volume {
    Volume::limited(Arc::new(MemoryStore::new()), CAPACITY as u64).await
}

/// Writes as write(2) is used, until it is refused; what was taken and why no more was.
async fn write_until_refused(vfs: &Vfs, handle: FileHandle, data: &[u8]) -> (usize, Option<ErrorKind>) {
    let mut rest = data;
    while !rest.is_empty() {
        let taken = data.len() - rest.len();
        let piece = rest.chunks(PIECE).next().unwrap();
        match vfs.write(handle, taken as u64, piece).await {
            Ok(written) => rest = rest.split_at(written).1,
            Err(error) => return (taken, Some(error.kind())),
        }
    }
    (data.len(), None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_takes_what_there_is_room_for_and_the_next_is_refused() {
    let volume = limited().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let data = pattern(CAPACITY + MIB, 1);
    let (taken, refusal) = write_until_refused(&vfs, handle, &data).await;
    assert_eq!(refusal, Some(ErrorKind::NoSpace));
    assert_eq!(taken, CAPACITY, "the empty file had a unit already");
    vfs.fsync(handle, false).await.unwrap();
    assert!(content(&vfs, handle).await == data[..taken]);
    // What is there can be written over, and a full volume stays refused.
    assert_eq!(vfs.write(handle, 10, &[7; 5000]).await.unwrap(), 5000);
    let more = vfs.write(handle, taken as u64, b"x").await.unwrap_err();
    assert_eq!(more.kind(), ErrorKind::NoSpace);
    close(&vfs, handle).await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_is_refused_as_a_write_is() {
    let volume = limited().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, &pattern(CAPACITY - 100, 1)).await.unwrap();
    let append = OpenFlags {
        append: true,
        ..READ_WRITE
    };
    let log = vfs.open(&Caller::root(), entry.ino, append).await.unwrap().handle;
    assert_eq!(vfs.write(log, 0, &[1; 300]).await.unwrap(), 100);
    let refused = vfs.write(log, 0, &[1; 300]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NoSpace);
    for handle in [log, handle] {
        close(&vfs, handle).await.unwrap();
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_other_files_that_wait_for_their_commit_count() {
    let volume = limited().await;
    let vfs = volume.client().await;
    let (_, first) = create(&vfs, "a").await;
    let (_, second) = create(&vfs, "b").await;
    let half = CAPACITY / 2;
    vfs.write(first, 0, &pattern(half, 1)).await.unwrap();
    let (taken, refusal) = write_until_refused(&vfs, second, &pattern(CAPACITY, 2)).await;
    assert_eq!(refusal, Some(ErrorKind::NoSpace));
    assert!(taken <= half, "{taken} bytes beside {half}");
    for handle in [first, second] {
        vfs.fsync(handle, false).await.unwrap();
        close(&vfs, handle).await.unwrap();
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_that_another_client_made_is_used_at_once() {
    let volume = limited().await;
    let (vfs, other) = (volume.client().await, volume.client().await);
    let (_, handle) = create(&vfs, "a").await;
    let data = pattern(CAPACITY, 1);
    let (taken, _) = write_until_refused(&vfs, handle, &data).await;
    close(&vfs, handle).await.unwrap();
    assert!(taken > CAPACITY / 2);
    other.unlink(&Caller::root(), Ino::ROOT, b"a").await.unwrap();
    let (_, handle) = create(&vfs, "b").await;
    let (again, _) = write_until_refused(&vfs, handle, &data).await;
    assert_eq!(again, taken);
    close(&vfs, handle).await.unwrap();
    other.shutdown().await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_quota_refuses_by_its_own_name() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let folder = vfs
        .mkdir(&Caller::root(), Ino::ROOT, b"d", 0o755, 0)
        .await
        .unwrap();
    let limits = QuotaLimits {
        max_space: Some(MIB as i64),
        max_inodes: None,
    };
    let key = QuotaKey::Directory(folder.ino);
    vfs.meta()
        .set_quota(key, limits, Counting::Entries)
        .await
        .unwrap();
    let (_, inside) = vfs
        .create(&Caller::root(), folder.ino, b"a", FILE, READ_WRITE)
        .await
        .unwrap();
    let (_, outside) = create(&vfs, "b").await;
    let data = pattern(2 * MIB, 3);
    assert_eq!(
        write_until_refused(&vfs, inside.handle, &data).await,
        (MIB, Some(ErrorKind::QuotaExceeded))
    );
    assert_eq!(write_until_refused(&vfs, outside, &data).await, (2 * MIB, None));
    for handle in [inside.handle, outside] {
        vfs.fsync(handle, false).await.unwrap();
        close(&vfs, handle).await.unwrap();
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_mapping_are_taken_whole_and_kept_as_far_as_they_fit() {
    let volume = limited().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let data = pattern(CAPACITY, 1);
    write_until_refused(&vfs, handle, &data).await;
    vfs.fsync(handle, false).await.unwrap();
    let mapped = WriteOrigin {
        mapped: true,
        ..WriteOrigin::default()
    };
    let page = pattern(BLOCK, 2);
    let place = (CAPACITY - BLOCK / 2) as u64;
    let taken = vfs.write_from(handle, place, &page, mapped).await.unwrap();
    assert_eq!(taken, page.len());
    let refused = vfs.fsync(handle, false).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NoSpace);
    let found = content(&vfs, handle).await;
    assert_eq!(found.len(), CAPACITY);
    assert!(found[CAPACITY - BLOCK / 2..] == page[..BLOCK / 2]);
    close(&vfs, handle).await.unwrap();
    vfs.shutdown().await.unwrap();
}
