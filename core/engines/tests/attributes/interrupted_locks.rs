use std::sync::Arc;

use futures_util::FutureExt as _;
use moorage_meta::{Meta, Record, Scan, Wait};
use moorage_model::{ErrorKind, Ino};

use crate::gated::GatedEngine;
use crate::locks::{EXCLUSIVE, FIRST, READ, SECOND, SHARED, WRITE, flock, lock, range};
use crate::volume::{Volume, kind, on_each_engine, unchanged};

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

#[tokio::test]
async fn a_release_that_failed_is_made_up_for_at_the_heartbeat() {
    on_each_engine(unchanged, |volume| async move {
        let (client, gate) = gated_client(&volume).await;
        let other = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        flock(&client, file, FIRST, EXCLUSIVE).await.unwrap();
        lock(&client, file, FIRST, range(WRITE, 0, 9)).await.unwrap();
        gate.set_refusing(true);
        assert_eq!(
            kind(flock(&client, file, FIRST, None).await),
            ErrorKind::Unavailable
        );
        let unlocked = lock(&client, file, FIRST, range(None, 0, 4)).await;
        assert_eq!(kind(unlocked), ErrorKind::Unavailable);
        gate.set_refusing(false);
        assert_eq!(
            kind(flock(other, file, FIRST, SHARED).await),
            ErrorKind::WouldBlock
        );
        client.refresh_session().await.unwrap();
        flock(other, file, FIRST, SHARED).await.unwrap();
        lock(other, file, FIRST, range(WRITE, 0, 4)).await.unwrap();
        assert_eq!(
            kind(lock(other, file, FIRST, range(WRITE, 5, 5)).await),
            ErrorKind::WouldBlock
        );
    })
    .await;
}

#[tokio::test]
async fn a_release_made_up_for_spares_what_was_locked_after_it() {
    on_each_engine(unchanged, |volume| async move {
        let (client, gate) = gated_client(&volume).await;
        let other = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        flock(&client, file, FIRST, EXCLUSIVE).await.unwrap();
        lock(&client, file, FIRST, range(WRITE, 0, 9)).await.unwrap();
        gate.set_refusing(true);
        flock(&client, file, FIRST, None).await.unwrap_err();
        lock(&client, file, FIRST, range(None, 0, 9)).await.unwrap_err();
        gate.set_refusing(false);
        flock(&client, file, FIRST, SHARED).await.unwrap();
        lock(&client, file, FIRST, range(READ, 3, 3)).await.unwrap();
        client.refresh_session().await.unwrap();
        assert_eq!(
            kind(flock(other, file, FIRST, EXCLUSIVE).await),
            ErrorKind::WouldBlock
        );
        assert_eq!(
            kind(lock(other, file, FIRST, range(WRITE, 0, 9)).await),
            ErrorKind::WouldBlock
        );
        lock(other, file, FIRST, range(WRITE, 0, 2)).await.unwrap();
    })
    .await;
}

/// Another client whose commits can be answered late or refused.
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
