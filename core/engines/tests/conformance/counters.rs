//! Relative writes and allocation.

use std::collections::HashSet;
use std::sync::Arc;

use moorage_meta::{Key, Record};
use moorage_model::{Counter, DirStat, Gid, Ino, Quota, QuotaKey, Uid};

use super::{Fresh, read, write};

const TASKS: i64 = 8;
const ROUNDS: i64 = 25;

pub(crate) async fn relative_writes_of_many_tasks_all_count(fresh: &Fresh) {
    let directory = QuotaKey::Directory(Ino(1));
    write(fresh.engine.as_ref(), move |txn| {
        txn.insert(Key::DirStat(Ino(1)), Record::DirStat(DirStat::default()));
        txn.insert(Key::Quota(directory), Record::Quota(Quota::default()));
    })
    .await
    .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let engine = Arc::clone(if task % 2 == 0 {
            &fresh.engine
        } else {
            &fresh.other
        });
        tasks.spawn(async move {
            for _ in 0..ROUNDS {
                write(engine.as_ref(), move |txn| {
                    txn.add_counter(Counter::UsedSpace, 4096);
                    txn.add_counter(Counter::TotalInodes, 1);
                    let delta = DirStat {
                        length: 10,
                        space: 4096,
                        inodes: 1,
                    };
                    txn.add_dir_stat(Ino(1), delta);
                    txn.add_quota_usage(directory, 4096, 1);
                    txn.add_quota_usage(QuotaKey::User(Uid(7)), 4096, 1);
                    txn.add_quota_usage(QuotaKey::Group(Gid(7)), -1, 0);
                })
                .await
                .unwrap();
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    // Usage may be written a moment after the job that changed it.
    for engine in [&fresh.other, &fresh.engine] {
        engine.make_durable().await.unwrap();
    }
    let engine = fresh.engine.as_ref();
    let total = TASKS * ROUNDS;
    assert_eq!(
        read(engine, &Key::Counter(Counter::UsedSpace)).await,
        Some(Record::Counter(4096 * total))
    );
    assert_eq!(
        read(engine, &Key::Counter(Counter::TotalInodes)).await,
        Some(Record::Counter(total))
    );
    let stat = DirStat {
        length: 10 * total,
        space: 4096 * total,
        inodes: total,
    };
    assert_eq!(
        read(engine, &Key::DirStat(Ino(1))).await,
        Some(Record::DirStat(stat))
    );
    for (key, space, inodes) in [
        (directory, 4096 * total, total),
        (QuotaKey::User(Uid(7)), 4096 * total, total),
        (QuotaKey::Group(Gid(7)), -total, 0),
    ] {
        let Some(Record::Quota(quota)) = read(engine, &Key::Quota(key)).await else {
            panic!("the quota of {key:?} exists");
        };
        assert_eq!((quota.used_space, quota.used_inodes), (space, inodes), "{key:?}");
        assert_eq!((quota.max_space, quota.max_inodes), (-1, -1), "{key:?}");
    }
}

pub(crate) async fn statistics_without_a_record_stay_absent(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let directory = QuotaKey::Directory(Ino(6));
    write(engine, move |txn| {
        let delta = DirStat {
            length: 1,
            space: 1,
            inodes: 1,
        };
        txn.add_dir_stat(Ino(5), delta);
        txn.add_quota_usage(directory, 1, 1);
    })
    .await
    .unwrap();
    assert_eq!(read(engine, &Key::DirStat(Ino(5))).await, None);
    assert_eq!(read(engine, &Key::Quota(directory)).await, None);
}

pub(crate) async fn concurrent_allocations_never_overlap(fresh: &Fresh) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let engine = Arc::clone(if task % 2 == 0 {
            &fresh.engine
        } else {
            &fresh.other
        });
        tasks.spawn(async move {
            let mut firsts = Vec::new();
            for _ in 0..20 {
                firsts.push(engine.allocate(Counter::NextChunk, 100).await.unwrap());
            }
            firsts
        });
    }
    let mut ids = HashSet::new();
    while let Some(task) = tasks.join_next().await {
        for first in task.unwrap() {
            for id in first..first + 100 {
                assert!(ids.insert(id), "slice id {id} was given out twice");
            }
        }
    }
    assert!(!ids.contains(&0), "0 marks a hole");
}

pub(crate) async fn the_first_ids_of_a_fresh_volume(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let inodes = engine.allocate(Counter::NextInode, 1024).await.unwrap();
    // Numbers up to the root's may be in the range; a client skips them (spec 20-model section 2).
    assert!(inodes <= 2 && inodes + 1024 > 2, "inodes start at {inodes}");
    assert_eq!(engine.allocate(Counter::NextChunk, 1).await.unwrap(), 1);
    assert_eq!(engine.allocate(Counter::NextChunk, 1).await.unwrap(), 2);
    assert_eq!(engine.allocate(Counter::NextSession, 1).await.unwrap(), 1);
    assert_eq!(engine.allocate(Counter::NextSession, 1).await.unwrap(), 2);
    assert_eq!(engine.allocate(Counter::NextTrash, 1).await.unwrap(), 1);
}

pub(crate) async fn an_allocation_counter_reads_as_the_next_free_id(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let first = engine.allocate(Counter::NextChunk, 10).await.unwrap();
    let next = i64::try_from(first).unwrap() + 10;
    assert_eq!(
        read(engine, &Key::Counter(Counter::NextChunk)).await,
        Some(Record::Counter(next))
    );
    write(engine, |txn| txn.add_counter(Counter::NextChunk, 5))
        .await
        .unwrap();
    assert_eq!(engine.allocate(Counter::NextChunk, 1).await.unwrap(), first + 15);
}

pub(crate) async fn a_stored_value_overrides_what_was_added_before(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let stat = |inodes| DirStat {
        length: 0,
        space: 0,
        inodes,
    };
    write(engine, move |txn| {
        txn.insert(Key::DirStat(Ino(1)), Record::DirStat(stat(1)));
        txn.add_dir_stat(Ino(1), stat(10));
        txn.put(Key::DirStat(Ino(1)), Record::DirStat(stat(100)));
        txn.add_dir_stat(Ino(1), stat(1000));
        txn.add_counter(Counter::TotalInodes, 1);
        txn.put(Key::Counter(Counter::TotalInodes), Record::Counter(5));
        txn.add_counter(Counter::TotalInodes, 1);
    })
    .await
    .unwrap();
    assert_eq!(
        read(engine, &Key::DirStat(Ino(1))).await,
        Some(Record::DirStat(stat(1100)))
    );
    assert_eq!(
        read(engine, &Key::Counter(Counter::TotalInodes)).await,
        Some(Record::Counter(6))
    );
}
