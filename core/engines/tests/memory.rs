//! The in-process engine keeps the promises of every engine, and fails when told to.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::samples::file;
use conformance::{Fresh, conformance, read, write};
use moorage_engines::{MemoryEngine, SeededFaults};
use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{ErrorKind, Ino};

async fn fresh() -> Option<Fresh> {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    engine.prepare().await.unwrap();
    Some(Fresh {
        other: Arc::clone(&engine),
        engine,
        _keep: Box::new(()),
    })
}

conformance!(fresh);

async fn insert(engine: &MemoryEngine, ino: u64) -> moorage_model::Result<()> {
    write(engine, move |txn| {
        txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
    })
    .await
}

#[tokio::test]
async fn a_crash_loses_what_came_after_the_last_barrier() {
    let engine = MemoryEngine::new();
    insert(&engine, 1).await.unwrap();
    engine.make_durable().await.unwrap();
    insert(&engine, 2).await.unwrap();
    write(&engine, |txn| txn.delete(Key::Node(Ino(1)))).await.unwrap();
    engine.crash();
    assert!(read(&engine, &Key::Node(Ino(1))).await.is_some());
    assert_eq!(read(&engine, &Key::Node(Ino(2))).await, None);
    engine.crash();
    assert!(
        read(&engine, &Key::Node(Ino(1))).await.is_some(),
        "a second crash loses nothing more"
    );
}

#[tokio::test]
async fn an_injected_conflict_runs_the_job_again() {
    let engine = MemoryEngine::new();
    let mut faults = SeededFaults::new(1);
    faults.conflicts = 700;
    engine.set_fault(Some(Box::new(faults)));
    let runs = Arc::new(AtomicUsize::new(0));
    for ino in 0..20 {
        let runs = Arc::clone(&runs);
        run(&engine, "create", move |txn| {
            let runs = Arc::clone(&runs);
            Box::pin(async move {
                runs.fetch_add(1, Ordering::Relaxed);
                txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
                Ok(())
            })
        })
        .await
        .unwrap();
    }
    assert!(runs.load(Ordering::Relaxed) > 30, "{runs:?} runs of 20 jobs");
}

#[tokio::test]
async fn conflicts_without_end_are_reported() {
    let engine = MemoryEngine::new();
    let mut faults = SeededFaults::new(1);
    faults.conflicts = 1000;
    engine.set_fault(Some(Box::new(faults)));
    assert_eq!(insert(&engine, 1).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_failure_before_the_commit_leaves_nothing_and_one_after_it_everything() {
    let engine = MemoryEngine::new();
    let mut faults = SeededFaults::new(1);
    faults.before = 1000;
    engine.set_fault(Some(Box::new(faults)));
    assert_eq!(
        insert(&engine, 1).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(read(&engine, &Key::Node(Ino(1))).await, None);
    let mut faults = SeededFaults::new(1);
    faults.after = 1000;
    engine.set_fault(Some(Box::new(faults)));
    assert_eq!(
        insert(&engine, 1).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert!(read(&engine, &Key::Node(Ino(1))).await.is_some());
}

#[tokio::test]
async fn a_seed_gives_the_same_failures_every_time() {
    let outcomes = |seed| async move {
        let engine = MemoryEngine::new();
        let mut faults = SeededFaults::new(seed);
        faults.before = 300;
        faults.after = 300;
        engine.set_fault(Some(Box::new(faults)));
        let mut outcomes = Vec::new();
        for ino in 0..50 {
            outcomes.push(insert(&engine, ino).await.is_ok());
        }
        outcomes
    };
    assert_eq!(outcomes(7).await, outcomes(7).await);
    assert_ne!(outcomes(7).await, outcomes(8).await);
}
