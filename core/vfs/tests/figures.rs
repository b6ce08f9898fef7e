//! What a mount tells of itself in numbers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moorage_chunk::ObjectStore;
use moorage_meta::MetaOptions;
use moorage_model::{ErrorKind, Ino};
use moorage_vfs::{Caller, Vfs, VolumeSpace};
use volume::faults::FailingStore;
use volume::{READ, Volume, close, content, create, uncached};

fn caller(pid: u32) -> Caller {
    Caller {
        pid,
        ..Caller::root()
    }
}

async fn read_as(vfs: &Vfs, pid: u32, ino: Ino) -> moorage_vfs::FileHandle {
    let opened = vfs.open(&caller(pid), ino, READ).await.unwrap();
    content(vfs, opened.handle).await;
    opened.handle
}

#[tokio::test]
async fn written_bytes_are_only_here_until_they_are_stored() {
    let vfs = Volume::new().await.client().await;
    let (_, one) = create(&vfs, "one").await;
    let (_, two) = create(&vfs, "two").await;
    vfs.write(one, 0, &[1; 1000]).await.unwrap();
    vfs.write(two, 0, &[2; 500]).await.unwrap();
    let figures = vfs.figures();
    assert_eq!((figures.files_only_here, figures.bytes_only_here), (2, 1500));
    close(&vfs, one).await.unwrap();
    let figures = vfs.figures();
    assert_eq!((figures.files_only_here, figures.bytes_only_here), (1, 500));
    assert_eq!(figures.bytes_uploaded, 1000);
    close(&vfs, two).await.unwrap();
    assert_eq!(vfs.figures().bytes_only_here, 0);
    let space = vfs.space().await.unwrap();
    assert_eq!((space.quota, space.inodes), (None, 2), "{space:?}");
}

#[tokio::test]
async fn readers_are_told_apart_while_their_files_are_open_and_after() {
    let vfs = Volume::new().await.client().await;
    let (entry, handle) = create(&vfs, "file").await;
    vfs.write(handle, 0, &[1; 1000]).await.unwrap();
    close(&vfs, handle).await.unwrap();
    let first = read_as(&vfs, 11, entry.ino).await;
    let second = read_as(&vfs, 12, entry.ino).await;
    close(&vfs, second).await.unwrap();
    let again = read_as(&vfs, 12, entry.ino).await;
    let mut readers = vfs.figures().readers;
    readers.sort_unstable();
    assert_eq!(readers, [(11, 1000), (12, 2000)]);
    close(&vfs, first).await.unwrap();
    close(&vfs, again).await.unwrap();
    let mut after = vfs.figures().readers;
    after.sort_unstable();
    assert_eq!(after, readers);
}

#[tokio::test]
async fn faults_are_counted_by_kind_and_ordinary_answers_are_not() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    let missing = vfs.lookup(&Caller::root(), Ino::ROOT, b"missing").await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(vfs.figures().failures, []);
    let (_, handle) = create(&vfs, "file").await;
    store.failures.store(u32::MAX, Ordering::SeqCst);
    vfs.write(handle, 0, b"x").await.unwrap();
    let failed = vfs.fsync(handle, false).await.unwrap_err();
    assert_eq!(vfs.figures().failures, [(failed.kind(), 1)]);
    store.failures.store(0, Ordering::SeqCst);
    close(&vfs, handle).await.unwrap();
}

#[tokio::test]
async fn a_capacity_is_told_as_the_quota() {
    let capacity = 1 << 30;
    let volume = Volume::limited(Arc::new(moorage_chunk::MemoryStore::new()), capacity).await;
    let vfs = volume.client_with(uncached(), MetaOptions::default()).await;
    let VolumeSpace { used, quota, .. } = vfs.space().await.unwrap();
    assert_eq!((used, quota), (0, Some(capacity)));
}
