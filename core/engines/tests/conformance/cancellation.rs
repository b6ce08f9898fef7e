//! Callers that go away.

use std::sync::Arc;
use std::task::Poll;

use moorage_meta::Key;
use moorage_meta::Record;
use moorage_model::Ino;

use super::samples::file;
use super::{Fresh, read, write};

/// Polls a future a number of times and drops it.
async fn poll_and_drop(future: impl Future, polls: usize) {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        let polled =
            std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if polled {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_dropped_job_is_whole_or_absent(fresh: &Fresh) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200_u64 {
        let engine = Arc::clone(&fresh.engine);
        tasks.spawn(async move {
            let job = write(engine.as_ref(), move |txn| {
                for ino in [1000 + number, 2000 + number] {
                    txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
                }
            });
            if number % 4 == 0 {
                job.await.unwrap();
            } else {
                poll_and_drop(job, usize::try_from(number % 4).unwrap()).await;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    // Behind everything that may still run.
    write(fresh.engine.as_ref(), |txn| {
        txn.put(Key::Node(Ino(1)), Record::Node(file(Ino(1))));
    })
    .await
    .unwrap();
    for number in 0..200_u64 {
        let keys = [Key::Node(Ino(1000 + number)), Key::Node(Ino(2000 + number))];
        let found = fresh.engine.read(&keys).await.unwrap();
        assert_eq!(
            found[0].is_some(),
            found[1].is_some(),
            "job {number} is half there"
        );
        if number % 4 == 0 {
            assert!(found[0].is_some(), "job {number} was acknowledged");
        }
    }
}

pub(crate) async fn a_dropped_leader_leaves_nobody_waiting(fresh: &Fresh) {
    for round in 0..50_u64 {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16_u64 {
            let engine = Arc::clone(&fresh.engine);
            tasks.spawn(async move {
                let ino = 10_000 + round * 100 + number;
                let job = write(engine.as_ref(), move |txn| {
                    txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
                });
                if number % 2 == 0 {
                    poll_and_drop(job, 1).await;
                } else {
                    job.await.unwrap();
                    assert!(read(engine.as_ref(), &Key::Node(Ino(ino))).await.is_some());
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
    }
}
