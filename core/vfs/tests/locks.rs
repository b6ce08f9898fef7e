//! Locks end with the handle they were taken through.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_model::{ErrorKind, FileLockKind, LockOwner, RecordLock, RecordLockKind};
use moorage_vfs::{Caller, LockRange, LockWait, RecordLockRequest};
use volume::{READ_WRITE, Volume, close, create};

fn write_lock(owner: u64) -> RecordLockRequest {
    RecordLockRequest {
        owner: LockOwner(owner),
        pid: 7,
        kind: Some(RecordLockKind::Write),
        range: LockRange {
            start: 10,
            end: RecordLock::TO_END,
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_posix_lock_goes_with_the_flush_of_its_owner() {
    let volume = Volume::new().await;
    let (one, two) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&one, "a").await;
    one.setlk(handle, write_lock(1), LockWait::No).await.unwrap();
    let other = two
        .open(&Caller::root(), entry.ino, READ_WRITE)
        .await
        .unwrap()
        .handle;
    let refused = two.setlk(other, write_lock(1), LockWait::No).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert_eq!(two.getlk(other, write_lock(1)).await.unwrap().unwrap().start, 10);
    one.flush(handle, Some(LockOwner(2))).await.unwrap();
    assert!(
        two.setlk(other, write_lock(1), LockWait::No).await.is_err(),
        "another owner's close"
    );
    one.flush(handle, Some(LockOwner(1))).await.unwrap();
    two.setlk(other, write_lock(1), LockWait::No).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_a_lock_ends_when_it_is_granted_or_no_longer_wanted() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, first) = create(&vfs, "a").await;
    let second = vfs
        .open(&Caller::root(), entry.ino, READ_WRITE)
        .await
        .unwrap()
        .handle;
    let exclusive = Some(FileLockKind::Exclusive);
    vfs.flock(first, LockOwner(1), exclusive, LockWait::No)
        .await
        .unwrap();

    let gone = LockWait::UntilInterrupted(Arc::new(|| true));
    let interrupted = vfs
        .flock(second, LockOwner(2), exclusive, gone)
        .await
        .unwrap_err();
    assert_eq!(interrupted.kind(), ErrorKind::Interrupted);

    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked);
    let patient = LockWait::UntilInterrupted(Arc::new(move || {
        flag.store(true, Ordering::SeqCst);
        false
    }));
    let (waiter, wanted) = (Arc::clone(&vfs), Arc::clone(&asked));
    let task = tokio::spawn(async move { waiter.flock(second, LockOwner(2), exclusive, patient).await });
    while !wanted.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    close(&vfs, first).await.unwrap();
    task.await.unwrap().unwrap();
}
