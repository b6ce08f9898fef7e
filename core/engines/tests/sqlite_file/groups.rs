//! Jobs that share a transaction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use moorage_meta::{Engine, Key, Record, Scan, TxnExt as _, run};
use moorage_model::{Counter, ErrorKind, Ino, Result};

use super::folder::{Folder, add_node, attr, count};

type Waiting = Vec<futures_util::future::BoxFuture<'static, Result<()>>>;

/// Queues jobs behind one that runs: they share the next transactions.
async fn queue_behind_a_job(engine: &Arc<dyn Engine>, jobs: Waiting) -> Waiting {
    let queued = Arc::new(parking_lot::Mutex::new(jobs));
    let started = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let (running, pending) = (Arc::clone(&queued), Arc::clone(&started));
    run(engine.as_ref(), "holds the writer", move |_| {
        let (running, pending) = (Arc::clone(&running), Arc::clone(&pending));
        Box::pin(async move {
            let waker = futures_util::task::noop_waker();
            let mut context = std::task::Context::from_waker(&waker);
            for mut job in running.lock().drain(..) {
                assert!(
                    job.as_mut().poll(&mut context).is_pending(),
                    "the writer is taken"
                );
                pending.lock().push(job);
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    std::mem::take(&mut *started.lock())
}

async fn in_one_group(engine: &Arc<dyn Engine>, jobs: Waiting) -> Vec<Result<()>> {
    futures_util::future::join_all(queue_behind_a_job(engine, jobs).await).await
}

#[tokio::test]
async fn a_failing_job_of_a_group_is_rolled_back_alone() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let job = |number: u64| {
        let engine = Arc::clone(&engine);
        async move {
            run(engine.as_ref(), "job", move |txn| {
                Box::pin(async move {
                    // What the earlier jobs of the group counted is seen.
                    let counted = txn
                        .get_locked(&[Key::Counter(Counter::TotalInodes)])
                        .await?
                        .counter()?;
                    assert_eq!(counted.unwrap_or(0), i64::try_from(number.div_ceil(2)).unwrap());
                    txn.insert(Key::Node(Ino(100 + number)), Record::Node(attr()));
                    txn.add_counter(Counter::TotalInodes, 1);
                    if number % 2 == 1 {
                        return Err(ErrorKind::NotEmpty.into());
                    }
                    Ok(())
                })
            })
            .await
        }
        .boxed()
    };
    let results = in_one_group(&engine, (0..10).map(job).collect()).await;
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(()) => assert_eq!(number % 2, 0),
            Err(error) => assert_eq!((number % 2, error.kind()), (1, ErrorKind::NotEmpty)),
        }
    }
    let found = engine.scan(&Scan::AllNodes, None, 100).await.unwrap();
    let numbers: Vec<String> = found.items.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(numbers.len(), 5, "{numbers:?}");
    let counted = engine
        .get(&[Key::Counter(Counter::TotalInodes)])
        .await
        .unwrap()
        .counter()
        .unwrap();
    assert_eq!(counted, Some(5));
}

/// More jobs than one caller runs in its turn.
const LONG_QUEUE: u64 = 3000;

fn numbered(engine: &Arc<dyn Engine>, number: u64) -> futures_util::future::BoxFuture<'static, Result<()>> {
    let engine = Arc::clone(engine);
    async move { add_node(engine.as_ref(), 10_000 + number).await }.boxed()
}

#[tokio::test]
async fn a_long_queue_is_handed_over_to_those_who_wait() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let jobs = (0..LONG_QUEUE).map(|number| numbered(&engine, number)).collect();
    for result in in_one_group(&engine, jobs).await {
        result.unwrap();
    }
    let raw = folder.raw();
    assert_eq!(count(&raw, "jfs_node"), i64::try_from(LONG_QUEUE).unwrap());
}

#[tokio::test]
async fn a_waiter_that_goes_away_with_the_turn_passes_it_on() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let waiting = queue_behind_a_job(
        &engine,
        (0..LONG_QUEUE).map(|number| numbered(&engine, number)).collect(),
    )
    .await;
    // One of them was given the turn and is dropped before it notices, as are most of the others.
    let mut kept = waiting;
    let dropped = kept.drain(..kept.len() - 10).count();
    assert!(dropped > 2000);
    let finished = tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(kept)).await;
    for result in finished.unwrap() {
        result.unwrap();
    }
    add_node(engine.as_ref(), 5).await.unwrap();
}

#[tokio::test]
async fn a_body_that_panics_harms_nobody_after_it() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let panicking = Arc::clone(&engine);
    let task = tokio::spawn(async move {
        run::<(), _>(panicking.as_ref(), "panic", |txn| {
            Box::pin(async move {
                txn.insert(Key::Node(Ino(5)), Record::Node(attr()));
                assert!(txn.lock_node(Ino(5)).await?.is_none(), "a bug in a verb");
                Ok(())
            })
        })
        .await
    });
    assert!(task.await.unwrap_err().is_panic());
    add_node(engine.as_ref(), 6).await.unwrap();
    let found = engine
        .read(&[Key::Node(Ino(5)), Key::Node(Ino(6))])
        .await
        .unwrap();
    assert_eq!((found[0].is_some(), found[1].is_some()), (false, true));
}

#[tokio::test]
async fn a_body_that_panics_leaves_nobody_waiting() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let waiting = Arc::new(parking_lot::Mutex::new(None));
    let (panicking, queued) = (Arc::clone(&engine), Arc::clone(&waiting));
    let task = tokio::spawn(async move {
        let other = Arc::clone(&panicking);
        run::<(), _>(panicking.as_ref(), "panic", move |_| {
            let (mut job, queued) = (numbered(&other, 1), Arc::clone(&queued));
            Box::pin(async move {
                let waker = futures_util::task::noop_waker();
                let mut context = std::task::Context::from_waker(&waker);
                assert!(job.as_mut().poll(&mut context).is_pending());
                let earlier = queued.lock().replace(job);
                assert!(queued.lock().is_none(), "a bug in a verb");
                drop(earlier);
                Ok(())
            })
        })
        .await
    });
    assert!(task.await.unwrap_err().is_panic());
    let job = waiting.lock().take().unwrap();
    let finished = tokio::time::timeout(Duration::from_secs(20), job).await;
    finished.unwrap().unwrap();
}
