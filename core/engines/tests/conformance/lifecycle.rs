//! From an empty engine to a wiped one.

use std::sync::Arc;

use moorage_meta::{Key, Record, Scan, TxnExt as _, run};
use moorage_model::{Counter, Ino, NodeType};

use super::samples::{directory, entry, file, name, of_every_kind};
use super::{Fresh, read, scan_all, write};

pub(crate) async fn preparing_twice_changes_nothing(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    assert!(engine.is_empty().await.unwrap(), "prepared, and nothing stored");
    write(engine, |txn| {
        txn.insert(Key::Node(Ino(1)), Record::Node(directory(Ino(1))));
    })
    .await
    .unwrap();
    engine.prepare().await.unwrap();
    fresh.other.prepare().await.unwrap();
    assert!(!engine.is_empty().await.unwrap());
    assert_eq!(
        read(engine, &Key::Node(Ino(1))).await,
        Some(Record::Node(directory(Ino(1))))
    );
}

pub(crate) async fn a_wiped_engine_is_empty_and_usable(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    write(engine, |txn| {
        for (key, first, _) in of_every_kind() {
            txn.insert(key, first);
        }
    })
    .await
    .unwrap();
    engine.wipe().await.unwrap();
    assert!(engine.is_empty().await.unwrap());
    assert_eq!(read(engine, &Key::Setting).await, None);
    engine.prepare().await.unwrap();
    write(engine, |txn| {
        txn.insert(Key::Setting, Record::Setting("{}".to_owned()));
    })
    .await
    .unwrap();
    assert_eq!(
        read(engine, &Key::Setting).await,
        Some(Record::Setting("{}".to_owned()))
    );
}

pub(crate) async fn one_barrier_serves_many_callers(fresh: &Fresh) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32_u64 {
        let engine = Arc::clone(&fresh.engine);
        tasks.spawn(async move {
            write(engine.as_ref(), move |txn| {
                txn.insert(Key::Node(Ino(10 + number)), Record::Node(file(Ino(1))));
            })
            .await?;
            engine.make_durable().await
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap().unwrap();
    }
    assert_eq!(
        scan_all(fresh.engine.as_ref(), &Scan::AllNodes, 100).await.len(),
        32
    );
}

const THREADS: u64 = 8;
const FILES: u64 = 100;

pub(crate) async fn eight_threads_commit_side_by_side(fresh: &Fresh) {
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let engine = Arc::clone(&fresh.engine);
            let runtime = tokio::runtime::Handle::current();
            std::thread::spawn(move || {
                for number in 0..FILES {
                    let ino = 1000 + thread * FILES + number;
                    let made = run(engine.as_ref(), "create", move |txn| {
                        Box::pin(async move {
                            let key = Key::Edge(Ino(1), name(ino.to_string()));
                            let found = txn
                                .get_locked(&[key.clone(), Key::Node(Ino(ino))])
                                .await?
                                .edge()?;
                            assert_eq!(found, None);
                            txn.insert(key, entry(NodeType::File, ino));
                            txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
                            txn.add_counter(Counter::TotalInodes, 1);
                            Ok(())
                        })
                    });
                    runtime.block_on(made).unwrap();
                    let found = runtime
                        .block_on(engine.lookup(Ino(1), &name(ino.to_string())))
                        .unwrap();
                    assert_eq!(
                        found.map(|(entry, _)| entry.ino),
                        Some(Ino(ino)),
                        "acknowledged and not visible"
                    );
                }
            })
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        for thread in threads {
            thread.join().unwrap();
        }
    })
    .await
    .unwrap();
    let engine = fresh.engine.as_ref();
    let total = engine
        .get(&[Key::Counter(Counter::TotalInodes)])
        .await
        .unwrap()
        .counter()
        .unwrap();
    assert_eq!(total, i64::try_from(THREADS * FILES).ok());
    let listed = scan_all(engine, &Scan::Edges(Ino(1)), 1000).await;
    assert_eq!(listed.len() as u64, THREADS * FILES);
}
