use std::sync::Arc;

use futures_util::FutureExt as _;
use moorage_meta::{LockRequest, Meta, MetaOptions, Scan, Wait};
use moorage_model::{
    ErrorKind, FileLockKind, Ino, LockOwner, RecordLock, RecordLockKind, Result, SystemClock,
};

use crate::fixture;
use crate::volume::{NoData, kind, on_each_engine, unchanged};

pub(crate) const SHARED: Option<FileLockKind> = Some(FileLockKind::Shared);
pub(crate) const EXCLUSIVE: Option<FileLockKind> = Some(FileLockKind::Exclusive);
pub(crate) const READ: Option<RecordLockKind> = Some(RecordLockKind::Read);
pub(crate) const WRITE: Option<RecordLockKind> = Some(RecordLockKind::Write);
pub(crate) const FIRST: LockOwner = LockOwner(1);
/// Beyond the signed numbers of SQL columns.
pub(crate) const SECOND: LockOwner = LockOwner(u64::MAX - 1);

pub(crate) async fn flock(meta: &Meta, ino: Ino, owner: LockOwner, lock: Option<FileLockKind>) -> Result<()> {
    meta.flock(ino, owner, lock, Wait::No).await
}

pub(crate) fn range(kind: Option<RecordLockKind>, start: u64, end: u64) -> LockRequest {
    LockRequest {
        kind,
        pid: 77,
        start,
        end,
    }
}

pub(crate) async fn lock(meta: &Meta, ino: Ino, owner: LockOwner, request: LockRequest) -> Result<()> {
    meta.record_lock_set(ino, owner, request, Wait::No).await
}

#[tokio::test]
async fn many_share_and_one_excludes_across_owners_and_clients() {
    on_each_engine(unchanged, |volume| async move {
        let (here, there) = (&volume.meta, volume.client().await);
        let file = volume.file(Ino::ROOT, "f").await;
        flock(here, file, FIRST, SHARED).await.unwrap();
        flock(here, file, SECOND, SHARED).await.unwrap();
        flock(&there, file, FIRST, SHARED).await.unwrap();
        assert_eq!(
            kind(flock(&there, file, FIRST, EXCLUSIVE).await),
            ErrorKind::WouldBlock
        );
        flock(here, file, FIRST, None).await.unwrap();
        flock(here, file, SECOND, None).await.unwrap();
        // The last holder may upgrade, and then shuts everybody out.
        flock(&there, file, FIRST, EXCLUSIVE).await.unwrap();
        assert_eq!(
            kind(flock(here, file, FIRST, SHARED).await),
            ErrorKind::WouldBlock
        );
        flock(&there, file, FIRST, SHARED).await.unwrap();
        flock(here, file, FIRST, SHARED).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_failed_upgrade_without_waiting_keeps_the_shared_lock() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        flock(&volume.meta, file, FIRST, SHARED).await.unwrap();
        flock(&volume.meta, file, SECOND, SHARED).await.unwrap();
        assert_eq!(
            kind(flock(&volume.meta, file, FIRST, EXCLUSIVE).await),
            ErrorKind::WouldBlock
        );
        assert_eq!(volume.records(Scan::FileLocks(file)).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn two_owners_that_both_wait_to_upgrade_are_both_served() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let meta = &volume.meta;
        flock(meta, file, FIRST, SHARED).await.unwrap();
        flock(meta, file, SECOND, SHARED).await.unwrap();
        let upgrade = async |owner| {
            meta.flock(file, owner, EXCLUSIVE, Wait::UntilGranted)
                .await
                .unwrap();
            flock(meta, file, owner, None).await.unwrap();
        };
        tokio::join!(upgrade(FIRST), upgrade(SECOND));
    })
    .await;
}

#[tokio::test]
async fn locks_need_a_session_and_a_node() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let engine = Arc::clone(volume.meta.engine());
        let outsider = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock))
            .await
            .unwrap();
        assert_eq!(
            kind(flock(&outsider, file, FIRST, SHARED).await),
            ErrorKind::NotSupported
        );
        let ranged = lock(&outsider, file, FIRST, range(READ, 0, 9)).await;
        assert_eq!(kind(ranged), ErrorKind::NotSupported);
        let missing = Ino(999_999);
        assert_eq!(
            kind(flock(&volume.meta, missing, FIRST, SHARED).await),
            ErrorKind::NotFound
        );
        let ranged = lock(&volume.meta, missing, FIRST, range(READ, 0, 9)).await;
        assert_eq!(kind(ranged), ErrorKind::NotFound);
        let backwards = lock(&volume.meta, file, FIRST, range(READ, 9, 0)).await;
        assert_eq!(kind(backwards), ErrorKind::InvalidArgument);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_gets_the_lock_when_its_own_client_releases_it() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let meta = &volume.meta;
        flock(meta, file, FIRST, EXCLUSIVE).await.unwrap();
        lock(meta, file, FIRST, range(WRITE, 0, 9)).await.unwrap();
        let waiting = async {
            meta.flock(file, SECOND, SHARED, Wait::UntilGranted)
                .await
                .unwrap();
            let request = range(WRITE, 5, RecordLock::TO_END);
            meta.record_lock_set(file, SECOND, request, Wait::UntilGranted)
                .await
                .unwrap();
        };
        let releasing = async {
            flock(meta, file, FIRST, None).await.unwrap();
            lock(meta, file, FIRST, range(None, 0, 9)).await.unwrap();
        };
        tokio::join!(waiting, releasing);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_gets_the_lock_when_another_client_releases_it_or_closes() {
    on_each_engine(unchanged, |volume| async move {
        let there = volume.client().await;
        let file = volume.file(Ino::ROOT, "f").await;
        let wait = async |owner| {
            volume
                .meta
                .flock(file, owner, EXCLUSIVE, Wait::UntilGranted)
                .await
        };
        flock(&there, file, FIRST, EXCLUSIVE).await.unwrap();
        let released = async {
            flock(&there, file, FIRST, None).await.unwrap();
        };
        tokio::join!(async { wait(FIRST).await.unwrap() }, released);
        flock(&volume.meta, file, FIRST, None).await.unwrap();
        flock(&there, file, SECOND, SHARED).await.unwrap();
        lock(&there, file, SECOND, range(WRITE, 0, 0)).await.unwrap();
        let closed = async { there.close_session().await.unwrap() };
        tokio::join!(async { wait(FIRST).await.unwrap() }, closed);
        assert_eq!(volume.records(Scan::RecordLocks(file)).await, []);
    })
    .await;
}

#[tokio::test]
async fn owners_of_one_client_that_wait_for_each_other_learn_of_the_deadlock() {
    on_each_engine(unchanged, |volume| async move {
        let (left, right) = (
            volume.file(Ino::ROOT, "f").await,
            volume.file(Ino::ROOT, "g").await,
        );
        let meta = &volume.meta;
        let whole = range(WRITE, 0, RecordLock::TO_END);
        lock(meta, left, FIRST, whole).await.unwrap();
        lock(meta, right, SECOND, whole).await.unwrap();
        let mut first = Box::pin(meta.record_lock_set(right, FIRST, whole, Wait::UntilGranted));
        assert!(first.as_mut().now_or_never().is_none());
        let second = meta
            .record_lock_set(left, SECOND, whole, Wait::UntilGranted)
            .await;
        assert_eq!(kind(second), ErrorKind::Deadlock);
        lock(meta, right, SECOND, range(None, 0, RecordLock::TO_END))
            .await
            .unwrap();
        first.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_query_names_the_first_lock_in_the_way_and_its_process_when_it_is_ours() {
    on_each_engine(unchanged, |volume| async move {
        let there = volume.client().await;
        let file = volume.file(Ino::ROOT, "f").await;
        let meta = &volume.meta;
        let wanted = RecordLock {
            kind: RecordLockKind::Write,
            pid: 1,
            start: 0,
            end: RecordLock::TO_END,
        };
        let query = async |owner, wanted| meta.record_lock_get(file, owner, wanted).await.unwrap();
        assert_eq!(query(FIRST, wanted).await, None);
        lock(meta, file, FIRST, range(READ, 50, 59)).await.unwrap();
        lock(&there, file, FIRST, range(READ, 10, 19)).await.unwrap();
        let remote = query(FIRST, wanted).await.unwrap();
        assert_eq!((remote.start, remote.end, remote.pid), (10, 19, 0));
        let behind = RecordLock { start: 20, ..wanted };
        let local = query(SECOND, behind).await.unwrap();
        assert_eq!((local.start, local.end, local.pid), (50, 59, 77));
        assert_eq!(query(FIRST, behind).await, None);
        let reading = RecordLock {
            kind: RecordLockKind::Read,
            ..wanted
        };
        assert_eq!(query(SECOND, reading).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_want_the_lock_at_once_one_gets_it() {
    on_each_engine(unchanged, |volume| async move {
        let clients = [Arc::clone(&volume.meta), volume.client().await];
        for round in 0..10 {
            let file = volume.file(Ino::ROOT, &format!("f{round}")).await;
            let tasks: Vec<_> = (0..8_u64)
                .map(|number| {
                    let meta = Arc::clone(&clients[number as usize % 2]);
                    tokio::spawn(async move {
                        let by_file = flock(&meta, file, LockOwner(number), EXCLUSIVE).await;
                        let by_range = lock(&meta, file, LockOwner(number), range(WRITE, 0, 9)).await;
                        (by_file.is_ok(), by_range.is_ok())
                    })
                })
                .collect();
            let mut granted = (0, 0);
            for task in tasks {
                let (by_file, by_range) = task.await.unwrap();
                granted.0 += u32::from(by_file);
                granted.1 += u32::from(by_range);
            }
            assert_eq!(granted, (1, 1));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_critical_section_under_the_lock_is_never_entered_twice() {
    on_each_engine(unchanged, |volume| async move {
        let clients = [Arc::clone(&volume.meta), volume.client().await];
        let file = volume.file(Ino::ROOT, "f").await;
        let inside = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let tasks: Vec<_> = (0..6_u64)
            .map(|number| {
                let meta = Arc::clone(&clients[number as usize % 2]);
                let inside = Arc::clone(&inside);
                tokio::spawn(async move {
                    for _ in 0..5 {
                        let owner = LockOwner(number);
                        meta.flock(file, owner, EXCLUSIVE, Wait::UntilGranted)
                            .await
                            .unwrap();
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        flock(&meta, file, owner, None).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(volume.records(Scan::FileLocks(file)).await, []);
    })
    .await;
}

#[tokio::test]
async fn locks_that_a_dead_juicefs_client_left_hold_until_its_session_is_reaped() {
    let Some(golden) = fixture::open("midstate").await else {
        return;
    };
    let meta = &golden.meta;
    meta.start_session(Arc::new(NoData)).await.unwrap();
    // Session 2 holds shared locks on 1027, an exclusive one on 1028, and bytes 0 to 99 of 1029 for writing.
    let (shared, exclusive, ranged) = (Ino(1027), Ino(1028), Ino(1029));
    flock(meta, shared, FIRST, SHARED).await.unwrap();
    assert_eq!(
        kind(flock(meta, shared, FIRST, EXCLUSIVE).await),
        ErrorKind::WouldBlock
    );
    assert_eq!(
        kind(flock(meta, exclusive, FIRST, SHARED).await),
        ErrorKind::WouldBlock
    );
    assert_eq!(
        kind(lock(meta, ranged, FIRST, range(READ, 99, 99)).await),
        ErrorKind::WouldBlock
    );
    lock(meta, ranged, FIRST, range(WRITE, 100, 499)).await.unwrap();
    // The locks of one owner of the client: write, read, write to the end.
    let probe = RecordLock {
        kind: RecordLockKind::Read,
        pid: 1,
        start: 200,
        end: RecordLock::TO_END,
    };
    let found = meta
        .record_lock_get(Ino(1030), FIRST, probe)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.kind, found.start, found.end),
        (RecordLockKind::Write, 220, RecordLock::TO_END)
    );
    meta.reap_sessions().await.unwrap();
    flock(meta, shared, FIRST, EXCLUSIVE).await.unwrap();
    flock(meta, exclusive, FIRST, EXCLUSIVE).await.unwrap();
    lock(meta, ranged, FIRST, range(WRITE, 0, RecordLock::TO_END))
        .await
        .unwrap();
}
