//! What others see of a job.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_meta::{Key, Record, TxnExt as _, run};
use moorage_model::{Counter, ErrorKind, Ino};

use super::samples::file;
use super::{Fresh, read, write};

pub(crate) async fn readers_see_committed_records_only(fresh: &Fresh) {
    let key = Key::Node(Ino(5));
    let before = file(Ino(1));
    let stored = Record::Node(before.clone());
    write(fresh.engine.as_ref(), move |txn| {
        txn.insert(Key::Node(Ino(5)), stored.clone());
    })
    .await
    .unwrap();
    let (reader, other) = (Arc::clone(&fresh.engine), Arc::clone(&fresh.other));
    let seen_inside = run(fresh.engine.as_ref(), "change", move |txn| {
        let (reader, other) = (Arc::clone(&reader), Arc::clone(&other));
        Box::pin(async move {
            let mut attr = txn.lock_node(Ino(5)).await?.expect("it was made before");
            attr.length = 99;
            txn.put(Key::Node(Ino(5)), Record::Node(attr));
            let own = reader.get(&[Key::Node(Ino(5))]).await?.node()?;
            let others = other.get(&[Key::Node(Ino(5))]).await?.node()?;
            Ok([own, others])
        })
    })
    .await
    .unwrap();
    assert_eq!(seen_inside, [Some(before.clone()), Some(before)]);
    let Some(Record::Node(after)) = read(fresh.other.as_ref(), &key).await else {
        panic!("the node is there");
    };
    assert_eq!(after.length, 99);
}

pub(crate) async fn a_failed_job_leaves_nothing_and_harms_no_neighbour(fresh: &Fresh) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64_u64 {
        let engine = Arc::clone(&fresh.engine);
        tasks.spawn(async move {
            let result = run(engine.as_ref(), "half of them fail", move |txn| {
                Box::pin(async move {
                    txn.insert(Key::Node(Ino(100 + number)), Record::Node(file(Ino(1))));
                    txn.add_counter(Counter::TotalInodes, 1);
                    if number % 2 == 0 {
                        Ok(())
                    } else {
                        Err(ErrorKind::QuotaExceeded.into())
                    }
                })
            })
            .await;
            (number, result)
        });
    }
    while let Some(task) = tasks.join_next().await {
        let (number, result) = task.unwrap();
        match result {
            Ok(()) => assert_eq!(number % 2, 0),
            Err(error) => assert_eq!((number % 2, error.kind()), (1, ErrorKind::QuotaExceeded)),
        }
        let stored = read(fresh.engine.as_ref(), &Key::Node(Ino(100 + number))).await;
        assert_eq!(stored.is_some(), number % 2 == 0, "node of job {number}");
    }
    let total = read(fresh.engine.as_ref(), &Key::Counter(Counter::TotalInodes)).await;
    assert_eq!(total, Some(Record::Counter(32)));
}

pub(crate) async fn records_of_one_job_appear_together(fresh: &Fresh) {
    let ended = Arc::new(AtomicBool::new(false));
    let (reader, stop) = (Arc::clone(&fresh.other), Arc::clone(&ended));
    let watcher = tokio::spawn(async move {
        let mut last = 0;
        while !stop.load(Ordering::Acquire) {
            // The second record is read first, so the first one is never older.
            let second = reader.get(&[Key::Node(Ino(6))]).await.unwrap().node().unwrap();
            let first = reader.get(&[Key::Node(Ino(5))]).await.unwrap().node().unwrap();
            let (first, second) = (first.map_or(0, |a| a.length), second.map_or(0, |a| a.length));
            assert!(
                first >= second && second >= last,
                "{first} after {second} after {last}"
            );
            last = second;
            tokio::task::yield_now().await;
        }
    });
    for length in 1..=100 {
        write(fresh.engine.as_ref(), move |txn| {
            for ino in [5, 6] {
                let mut attr = file(Ino(1));
                attr.length = length;
                txn.put(Key::Node(Ino(ino)), Record::Node(attr));
            }
        })
        .await
        .unwrap();
    }
    ended.store(true, Ordering::Release);
    watcher.await.unwrap();
}
