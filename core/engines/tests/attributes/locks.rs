use std::sync::Arc;

use futures_util::FutureExt as _;
use moorage_meta::{LockRequest, Meta, MetaOptions, Record, Scan, Wait};
use moorage_model::{
    ErrorKind, FileLockKind, Ino, LockOwner, RecordLock, RecordLockKind, Result, SystemClock,
};
use proptest::prelude::*;

use crate::gated::GatedEngine;
use crate::volume::{Volume, kind, on_each_engine, unchanged};

const SHARED: Option<FileLockKind> = Some(FileLockKind::Shared);
const EXCLUSIVE: Option<FileLockKind> = Some(FileLockKind::Exclusive);
const READ: Option<RecordLockKind> = Some(RecordLockKind::Read);
const WRITE: Option<RecordLockKind> = Some(RecordLockKind::Write);
const FIRST: LockOwner = LockOwner(1);
/// Beyond the signed numbers of SQL columns.
const SECOND: LockOwner = LockOwner(u64::MAX - 1);

async fn flock(meta: &Meta, ino: Ino, owner: LockOwner, lock: Option<FileLockKind>) -> Result<()> {
    meta.flock(ino, owner, lock, Wait::No).await
}

fn range(kind: Option<RecordLockKind>, start: u64, end: u64) -> LockRequest {
    LockRequest {
        kind,
        pid: 77,
        start,
        end,
    }
}

async fn lock(meta: &Meta, ino: Ino, owner: LockOwner, request: LockRequest) -> Result<()> {
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
async fn a_wait_that_is_dropped_leaves_no_lock() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let meta = &volume.meta;
        flock(meta, file, FIRST, EXCLUSIVE).await.unwrap();
        lock(meta, file, FIRST, range(WRITE, 0, 9)).await.unwrap();
        let request = range(READ, 0, 9);
        {
            let mut flocking = Box::pin(meta.flock(file, SECOND, SHARED, Wait::UntilGranted));
            let mut ranging = Box::pin(meta.record_lock_set(file, SECOND, request, Wait::UntilGranted));
            assert!(flocking.as_mut().now_or_never().is_none());
            assert!(ranging.as_mut().now_or_never().is_none());
        }
        flock(meta, file, FIRST, None).await.unwrap();
        lock(meta, file, FIRST, range(None, 0, 9)).await.unwrap();
        meta.flock(file, FIRST, EXCLUSIVE, Wait::UntilGranted)
            .await
            .unwrap();
        meta.record_lock_set(file, FIRST, range(WRITE, 0, 9), Wait::UntilGranted)
            .await
            .unwrap();
        assert_eq!(volume.records(Scan::FileLocks(file)).await.len(), 1);
        assert_eq!(volume.records(Scan::RecordLocks(file)).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_nobody_waits_for_any_more_is_taken_back() {
    on_each_engine(unchanged, |volume| async move {
        let (slow, gate) = gated_client(&volume).await;
        let file = volume.file(Ino::ROOT, "f").await;
        lock(&slow, file, FIRST, range(READ, 0, 9)).await.unwrap();
        gate.set_open(false);
        {
            let mut flocking = Box::pin(slow.flock(file, SECOND, EXCLUSIVE, Wait::UntilGranted));
            let request = range(WRITE, 5, 14);
            let mut ranging = Box::pin(slow.record_lock_set(file, FIRST, request, Wait::No));
            // Until the engine has committed what it does not answer yet.
            while volume.records(Scan::FileLocks(file)).await.is_empty() {
                assert!(flocking.as_mut().now_or_never().is_none());
                tokio::task::yield_now().await;
            }
            while read_lock_is_alone(&volume, file).await {
                assert!(ranging.as_mut().now_or_never().is_none());
                tokio::task::yield_now().await;
            }
        }
        gate.set_open(true);
        let other = &volume.meta;
        other
            .flock(file, FIRST, EXCLUSIVE, Wait::UntilGranted)
            .await
            .unwrap();
        other
            .record_lock_set(file, FIRST, range(READ, 0, 9), Wait::UntilGranted)
            .await
            .unwrap();
        other
            .record_lock_set(file, FIRST, range(WRITE, 10, 14), Wait::UntilGranted)
            .await
            .unwrap();
        // What was locked before is locked still.
        assert_eq!(
            kind(lock(other, file, FIRST, range(WRITE, 0, 0)).await),
            ErrorKind::WouldBlock
        );
    })
    .await;
}

async fn read_lock_is_alone(volume: &Volume, file: Ino) -> bool {
    let records = volume.records(Scan::RecordLocks(file)).await;
    matches!(records.first(), Some((_, Record::RecordLocks(ranges))) if ranges.len() == 1)
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

/// Bytes of the reference model.
const BYTES: usize = 12;

#[derive(Clone, Copy, Debug)]
struct Step {
    owner: u64,
    kind: Option<RecordLockKind>,
    start: usize,
    end: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(None), Just(READ), Just(WRITE)];
    let step = (0..3_u64, kind, 0..BYTES, 0..BYTES).prop_map(|(owner, kind, one, two)| Step {
        owner,
        kind,
        start: one.min(two),
        end: one.max(two),
    });
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ranges_are_granted_as_byte_by_byte_locks_would_be(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_each_engine(unchanged, |volume| agrees_with_bytes(volume, steps.clone())));
    }
}

async fn agrees_with_bytes(volume: Volume, steps: Vec<Step>) {
    let file = volume.file(Ino::ROOT, "f").await;
    // What each owner holds of each byte.
    let mut model = [[None; BYTES]; 3];
    for step in steps {
        let free = step.kind.is_none_or(|wanted| {
            (0..3).filter(|owner| *owner != step.owner as usize).all(|owner| {
                model[owner][step.start..=step.end]
                    .iter()
                    .flatten()
                    .all(|held| *held == RecordLockKind::Read && wanted == RecordLockKind::Read)
            })
        });
        let request = range(step.kind, step.start as u64, step.end as u64);
        let answer = lock(&volume.meta, file, LockOwner(step.owner), request).await;
        assert_eq!(answer.is_ok(), free, "{step:?}");
        if free {
            model[step.owner as usize][step.start..=step.end].fill(step.kind);
        }
    }
    for (owner, bytes) in model.iter().enumerate() {
        for (byte, held) in bytes.iter().enumerate() {
            let probe = RecordLock {
                kind: RecordLockKind::Write,
                pid: 0,
                start: byte as u64,
                end: byte as u64,
            };
            // The owner itself sees only what others hold; one that holds nothing sees everything.
            let seen_by_all = volume
                .meta
                .record_lock_get(file, LockOwner(9), probe)
                .await
                .unwrap();
            let any = model.iter().any(|bytes| bytes[byte].is_some());
            assert_eq!(seen_by_all.is_some(), any);
            let seen = volume
                .meta
                .record_lock_get(file, LockOwner(owner as u64), probe)
                .await
                .unwrap();
            let others = (0..3).any(|other| other != owner && model[other][byte].is_some());
            assert_eq!(
                seen.is_some(),
                others,
                "byte {byte} of owner {owner}, which holds {held:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_repeated_after_a_signal_keeps_what_it_got() {
    on_each_engine(unchanged, |volume| async move {
        let (slow, gate) = gated_client(&volume).await;
        let file = volume.file(Ino::ROOT, "f").await;
        gate.set_open(false);
        {
            let mut interrupted = Box::pin(slow.flock(file, FIRST, EXCLUSIVE, Wait::UntilGranted));
            let mut ranging =
                Box::pin(slow.record_lock_set(file, SECOND, range(WRITE, 0, 9), Wait::UntilGranted));
            while volume.records(Scan::FileLocks(file)).await.is_empty()
                || volume.records(Scan::RecordLocks(file)).await.is_empty()
            {
                assert!(interrupted.as_mut().now_or_never().is_none());
                assert!(ranging.as_mut().now_or_never().is_none());
                tokio::task::yield_now().await;
            }
        }
        let repeated = async {
            slow.flock(file, FIRST, EXCLUSIVE, Wait::UntilGranted)
                .await
                .unwrap();
            slow.record_lock_set(file, SECOND, range(WRITE, 0, 9), Wait::UntilGranted)
                .await
                .unwrap();
        };
        tokio::join!(repeated, async { gate.set_open(true) });
        // The repeated requests began when the interrupted ones were taken back, so nothing is under way any more.
        let other = &volume.meta;
        assert_eq!(
            kind(flock(other, file, FIRST, SHARED).await),
            ErrorKind::WouldBlock
        );
        assert_eq!(
            kind(lock(other, file, FIRST, range(READ, 9, 9)).await),
            ErrorKind::WouldBlock
        );
    })
    .await;
}

/// Another client whose commits can be answered late.
async fn gated_client(volume: &Volume) -> (Arc<Meta>, Arc<GatedEngine>) {
    let made = std::sync::OnceLock::new();
    let client = volume
        .client_through(|engine| {
            let gated = Arc::new(GatedEngine::new(engine));
            made.set(Arc::clone(&gated)).unwrap();
            gated
        })
        .await;
    (client, made.into_inner().unwrap())
}
