//! Requests whose caller does not want to wait any longer, on a store that does not answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::ObjectStore;
use moorage_model::{ErrorKind, LockOwner, RecordLock, RecordLockKind};
use moorage_vfs::{Caller, LockRange, LockWait, RecordLockRequest, SetAttrRequest, Vfs};
use volume::faults::FailingStore;
use volume::{BLOCK, READ, READ_WRITE, Volume, close, content, create, pattern};

const LOOK: Duration = Duration::from_millis(10);
/// Long enough for a slow machine, short enough to tell a deadlock.
const PATIENCE: Duration = Duration::from_secs(120);

async fn silent_volume() -> (Arc<FailingStore>, Volume) {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    (store, volume)
}

async fn until_stored(vfs: &Vfs, ino: moorage_model::Ino, length: usize) {
    let stored = async {
        while vfs.getattr(ino).await.unwrap().attr.length != length as u64 {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, stored).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_fsync_or_flush_loses_nothing_and_goes_on_by_itself() {
    for flushes in [false, true] {
        let (store, volume) = silent_volume().await;
        let (vfs, other) = (volume.client().await, volume.client().await);
        let (entry, handle) = create(&vfs, "a").await;
        let data = pattern(3 * BLOCK, 1);
        // Before the write, whose full blocks are uploaded at once.
        store.silent.send_replace(true);
        vfs.write(handle, 0, &data).await.unwrap();
        let answer = if flushes {
            vfs.interruptible(vfs.flush(handle, None), LOOK, || true).await
        } else {
            vfs.interruptible(vfs.fsync(handle, false), LOOK, || true).await
        };
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Interrupted);
        assert!(content(&vfs, handle).await == data, "read through the same mount");
        assert_eq!(other.getattr(entry.ino).await.unwrap().attr.length, 0);
        store.silent.send_replace(false);
        until_stored(&other, entry.ino, data.len()).await;
        vfs.fsync(handle, false).await.unwrap();
        close(&vfs, handle).await.unwrap();
        let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
        assert!(content(&other, opened.handle).await == data, "another client");
        close(&other, opened.handle).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_read_can_be_repeated() {
    let (store, volume) = silent_volume().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    let data = pattern(2 * BLOCK, 2);
    vfs.write(handle, 0, &data).await.unwrap();
    close(&vfs, handle).await.unwrap();
    let other = volume.client().await;
    let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
    store.silent.send_replace(true);
    let read = other.read_bytes(opened.handle, 0, data.len());
    let answer = other.interruptible(read, LOOK, || true).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Interrupted);
    store.silent.send_replace(false);
    assert!(content(&other, opened.handle).await == data);
    close(&other, opened.handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_of_an_interrupted_flush_go_when_its_bytes_are_stored() {
    let (store, volume) = silent_volume().await;
    let (vfs, other) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&vfs, "a").await;
    let lock = RecordLockRequest {
        owner: LockOwner(1),
        pid: 7,
        kind: Some(RecordLockKind::Write),
        range: LockRange {
            start: 0,
            end: RecordLock::TO_END,
        },
    };
    vfs.setlk(handle, lock, LockWait::No).await.unwrap();
    vfs.write(handle, 0, b"under the lock").await.unwrap();
    store.silent.send_replace(true);
    let flush = vfs.flush(handle, Some(LockOwner(1)));
    let answer = vfs.interruptible(flush, LOOK, || true).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Interrupted);
    let theirs = other
        .open(&Caller::root(), entry.ino, READ_WRITE)
        .await
        .unwrap()
        .handle;
    let refused = other.setlk(theirs, lock, LockWait::No).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    store.silent.send_replace(false);
    let granted = async {
        while other.setlk(theirs, lock, LockWait::No).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, granted).await.unwrap();
    assert_eq!(
        other.getattr(entry.ino).await.unwrap().attr.length,
        14,
        "stored first"
    );
    close(&other, theirs).await.unwrap();
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_left_goes_on_to_its_end() {
    let (store, volume) = silent_volume().await;
    let (vfs, other) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&vfs, "a").await;
    store.silent.send_replace(true);
    vfs.write(handle, 0, &pattern(BLOCK, 3)).await.unwrap();
    let door = Arc::clone(&vfs);
    let truncate = async move {
        let size = SetAttrRequest {
            size: Some(5),
            ..SetAttrRequest::default()
        };
        door.setattr(&Caller::root(), entry.ino, Some(handle), size).await
    };
    let answer = vfs.abandonable(truncate, LOOK, || true).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Interrupted);
    store.silent.send_replace(false);
    until_stored(&other, entry.ino, 5).await;
    until_stored(&vfs, entry.ino, 5).await;
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_need_not_wait_is_not_asked_about() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"here").await.unwrap();
    let asked = || -> bool { panic!("asked for nothing") };
    let read = vfs.read_bytes(handle, 0, 4);
    assert_eq!(
        vfs.interruptible(read, Duration::ZERO, asked).await.unwrap()[..],
        b"here"[..]
    );
    close(&vfs, handle).await.unwrap();
}
