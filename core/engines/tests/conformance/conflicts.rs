//! Decisions hold until the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorage_meta::{Engine, Key, Record, Scan, TxnExt as _, run};
use moorage_model::{
    Attr, ChunkIndex, Error, ErrorKind, FileLockKind, Ino, LockOwner, NodeType, Result, SessionId,
};
use tokio::sync::Barrier;

use super::samples::{directory, entry, file, name, slice};
use super::{Fresh, read, write};

pub(crate) async fn inserting_an_existing_record_is_a_conflict(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let key = || Key::Edge(Ino(1), name("taken"));
    write(engine, move |txn| txn.insert(key(), entry(NodeType::File, 5)))
        .await
        .unwrap();
    let refused = write(engine, move |txn| {
        txn.put(Key::Node(Ino(6)), Record::Node(file(Ino(1))));
        txn.insert(key(), entry(NodeType::File, 6));
    })
    .await
    .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    assert_eq!(read(engine, &key()).await, Some(entry(NodeType::File, 5)));
    assert_eq!(read(engine, &Key::Node(Ino(6))).await, None);
}

/// Adds one to the length of a file, deciding on what was locked.
async fn grow(engine: &dyn Engine) -> Result<()> {
    run(engine, "grow", |txn| {
        Box::pin(async move {
            let mut attr = txn.lock_node(Ino(5)).await?.expect("the node was made before");
            attr.length += 1;
            txn.put(Key::Node(Ino(5)), Record::Node(attr));
            Ok(())
        })
    })
    .await
}

async fn count_growth(fresh: &Fresh, clients: [&Arc<dyn Engine>; 2]) {
    write(fresh.engine.as_ref(), |txn| {
        txn.insert(Key::Node(Ino(5)), Record::Node(file(Ino(1))));
    })
    .await
    .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let engine = Arc::clone(clients[task % 2]);
        tasks.spawn(async move {
            for _ in 0..25 {
                grow(engine.as_ref()).await.unwrap();
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let Some(Record::Node(attr)) = read(fresh.engine.as_ref(), &Key::Node(Ino(5))).await else {
        panic!("the node is there");
    };
    assert_eq!(attr.length, 200);
}

pub(crate) async fn no_update_is_lost_between_tasks(fresh: &Fresh) {
    count_growth(fresh, [&fresh.engine, &fresh.engine]).await;
}

pub(crate) async fn no_update_is_lost_between_clients(fresh: &Fresh) {
    count_growth(fresh, [&fresh.engine, &fresh.other]).await;
}

pub(crate) async fn one_of_many_creators_of_a_name_wins(fresh: &Fresh) {
    for round in 0..10_u64 {
        let barrier = Arc::new(Barrier::new(8));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8_u64 {
            let engine = Arc::clone(if task % 2 == 0 {
                &fresh.engine
            } else {
                &fresh.other
            });
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                run(engine.as_ref(), "create", move |txn| {
                    Box::pin(async move {
                        let key = Key::Edge(Ino(1), name(round.to_string()));
                        if txn
                            .get_locked(std::slice::from_ref(&key))
                            .await?
                            .edge()?
                            .is_some()
                        {
                            return Err(ErrorKind::Exists.into());
                        }
                        txn.insert(key, entry(NodeType::File, 100 + task));
                        Ok(task)
                    })
                })
                .await
            });
        }
        let mut winners = Vec::new();
        while let Some(task) = tasks.join_next().await {
            match task.unwrap() {
                Ok(winner) => winners.push(winner),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Exists, "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        let stored = read(fresh.engine.as_ref(), &Key::Edge(Ino(1), name(round.to_string()))).await;
        assert_eq!(stored, Some(entry(NodeType::File, 100 + winners[0])));
    }
}

pub(crate) async fn a_record_is_the_same_throughout_a_run(fresh: &Fresh) {
    let with_mode = |mode| Attr {
        mode,
        ..directory(Ino(1))
    };
    write(fresh.engine.as_ref(), move |txn| {
        txn.put(Key::Node(Ino(50)), Record::Node(with_mode(0o700)));
        txn.put(Key::Edge(Ino(1), name("d")), entry(NodeType::Directory, 50));
    })
    .await
    .unwrap();
    // This client has seen it; then another one changes it.
    read(fresh.engine.as_ref(), &Key::Node(Ino(50))).await.unwrap();
    write(fresh.other.as_ref(), move |txn| {
        txn.put(Key::Node(Ino(50)), Record::Node(with_mode(0o755)));
    })
    .await
    .unwrap();
    let seen = run(fresh.engine.as_ref(), "look twice", |txn| {
        Box::pin(async move {
            let child = txn.lock_child(Ino(1), &name("d")).await?;
            let again = txn.lock_node(Ino(50)).await?;
            txn.put(Key::Symlink(Ino(51)), Record::Symlink(b"t".to_vec()));
            Ok((child.and_then(|(_, attr)| attr), again))
        })
    })
    .await
    .unwrap();
    assert_eq!(seen, (Some(with_mode(0o755)), Some(with_mode(0o755))));
}

/// Makes a file in directory 50, if it is still there.
async fn create_in_directory(engine: &dyn Engine) -> Result<()> {
    run(engine, "create", |txn| {
        Box::pin(async move {
            if txn.lock_node(Ino(50)).await?.is_none() {
                return Err(ErrorKind::NotFound.into());
            }
            txn.insert(Key::Edge(Ino(50), name("child")), entry(NodeType::File, 51));
            Ok(())
        })
    })
    .await
}

/// Removes directory 50, if it is empty.
async fn remove_directory(engine: &dyn Engine) -> Result<()> {
    run(engine, "rmdir", |txn| {
        Box::pin(async move {
            // Only this task removes it, but a run may see an earlier round.
            if txn.lock_child(Ino(1), &name("d")).await?.is_none() {
                return Err(ErrorKind::NotFound.into());
            }
            if !txn.lock_is_empty(Ino(50)).await? {
                return Err(ErrorKind::NotEmpty.into());
            }
            txn.delete(Key::Edge(Ino(1), name("d")));
            txn.delete(Key::Node(Ino(50)));
            Ok(())
        })
    })
    .await
}

pub(crate) async fn a_removed_directory_gets_no_entry(fresh: &Fresh) {
    for round in 0..30 {
        write(fresh.engine.as_ref(), |txn| {
            txn.put(Key::Node(Ino(50)), Record::Node(directory(Ino(1))));
            txn.put(Key::Edge(Ino(1), name("d")), entry(NodeType::Directory, 50));
            txn.delete(Key::Edge(Ino(50), name("child")));
        })
        .await
        .unwrap();
        let barrier = Arc::new(Barrier::new(2));
        let (maker, remover) = (Arc::clone(&fresh.engine), Arc::clone(&fresh.other));
        let (first, second) = (Arc::clone(&barrier), barrier);
        let made = tokio::spawn(async move {
            first.wait().await;
            create_in_directory(maker.as_ref()).await
        });
        let removed = tokio::spawn(async move {
            second.wait().await;
            remove_directory(remover.as_ref()).await
        });
        let (made, removed) = (made.await.unwrap(), removed.await.unwrap());
        assert_ne!(
            made.is_ok(),
            removed.is_ok(),
            "round {round}: create {made:?}, rmdir {removed:?}"
        );
        let child = fresh
            .engine
            .get(&[Key::Edge(Ino(50), name("child"))])
            .await
            .unwrap()
            .edge()
            .unwrap();
        assert_eq!(child.is_some(), made.is_ok(), "round {round}");
    }
}

/// Takes the only exclusive lock on inode 7 when nobody else has one.
async fn lock_exclusively(engine: &dyn Engine, owner: u64) -> Result<bool> {
    run(engine, "flock", move |txn| {
        Box::pin(async move {
            txn.lock_node(Ino(7)).await?;
            let held = txn.lock_range(&Scan::FileLocks(Ino(7))).await?;
            if held
                .iter()
                .any(|(_, record)| *record == Record::FileLock(FileLockKind::Exclusive))
            {
                return Ok(false);
            }
            let key = Key::FileLock(Ino(7), SessionId(1), LockOwner(owner));
            txn.insert(key, Record::FileLock(FileLockKind::Exclusive));
            Ok(true)
        })
    })
    .await
}

pub(crate) async fn a_decision_on_a_range_holds(fresh: &Fresh) {
    write(fresh.engine.as_ref(), |txn| {
        txn.insert(Key::Node(Ino(7)), Record::Node(file(Ino(1))));
    })
    .await
    .unwrap();
    for round in 0..10_u64 {
        let barrier = Arc::new(Barrier::new(6));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..6_u64 {
            let engine = Arc::clone(if task % 2 == 0 {
                &fresh.engine
            } else {
                &fresh.other
            });
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                lock_exclusively(engine.as_ref(), task).await.unwrap()
            });
        }
        let mut holders = 0;
        while let Some(task) = tasks.join_next().await {
            holders += usize::from(task.unwrap());
        }
        assert_eq!(holders, 1, "round {round}");
        write(fresh.engine.as_ref(), |txn| {
            for owner in 0..6 {
                txn.delete(Key::FileLock(Ino(7), SessionId(1), LockOwner(owner)));
            }
        })
        .await
        .unwrap();
    }
}

pub(crate) async fn a_locked_range_is_whole_and_has_own_writes(fresh: &Fresh) {
    const CHUNKS: u32 = 2500;
    // An empty list is the same as none where lists are keys of their own.
    let slices = || Record::Chunk(vec![slice(1, 0, 10)]);
    write(fresh.engine.as_ref(), move |txn| {
        for index in 0..CHUNKS {
            txn.insert(Key::Chunk(Ino(7), ChunkIndex(index)), slices());
        }
        txn.insert(Key::Chunk(Ino(8), ChunkIndex(0)), slices());
    })
    .await
    .unwrap();
    run(fresh.engine.as_ref(), "range", move |txn| {
        Box::pin(async move {
            txn.delete(Key::Chunk(Ino(7), ChunkIndex(5)));
            txn.put(Key::Chunk(Ino(7), ChunkIndex(CHUNKS)), slices());
            let found = txn.lock_range(&Scan::Chunks(Ino(7))).await?;
            let expected: Vec<Key> = (0..=CHUNKS)
                .filter(|index| *index != 5)
                .map(|index| Key::Chunk(Ino(7), ChunkIndex(index)))
                .collect();
            assert_eq!(
                found.into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
                expected
            );
            Ok(())
        })
    })
    .await
    .unwrap();
}

pub(crate) async fn an_error_of_the_body_is_returned_and_not_retried(fresh: &Fresh) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let error = run::<(), _>(fresh.engine.as_ref(), "fail", move |txn| {
        let counted = Arc::clone(&counted);
        Box::pin(async move {
            counted.fetch_add(1, Ordering::Relaxed);
            txn.put(Key::Node(Ino(5)), Record::Node(file(Ino(1))));
            Err(Error::new(ErrorKind::NotEmpty, "directory 5").with_advice("Empty it."))
        })
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEmpty);
    assert_eq!(
        (error.message(), error.advice()),
        (Some("directory 5"), Some("Empty it."))
    );
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(read(fresh.engine.as_ref(), &Key::Node(Ino(5))).await, None);
}
