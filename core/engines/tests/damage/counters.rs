//! Damaged counters, and those that lie behind what they numbered.

use moorage_meta::{Context, Key, TxnExt as _, UnlinkOptions};
use moorage_model::{Counter, DirStat, Ino, SliceId};

use super::{Damaged, assert_corrupt, check, name};

/// Everything that a volume can not do with damaged counters, and has again after a repair.
#[tokio::test]
async fn damaged_counters_keep_a_volume_shut_until_fsck_builds_them_again() {
    use moorage_meta::admin::{Defect, RepairState};
    let volume = Damaged::by(
        "UPDATE jfs_counter SET value = 'x' WHERE name IN ('usedSpace', 'totalInodes', 'nextInode', 'nextChunk', \
         'nextSession');
         INSERT INTO jfs_counter (name, value) VALUES ('lastCleanupTrash', 'x');",
    )
    .await;
    let refused = volume.open().await.map(drop).unwrap_err();
    assert!(
        refused.advice().unwrap().contains("fsck --repair"),
        "{:?}",
        refused.advice()
    );
    assert_corrupt(Err(refused), "counter usedSpace");
    let looked = check(&volume, false).await;
    let states = |report: &moorage_meta::admin::CheckReport| -> Vec<RepairState> {
        let damaged = report.findings.iter();
        let damaged = damaged.filter(|found| found.defect == Defect::DamagedRecord);
        damaged.map(|found| found.repair.clone()).collect()
    };
    assert_eq!(states(&looked), vec![RepairState::Possible; 6]);
    assert_corrupt(volume.read(Key::Counter(Counter::NextInode)).await, "nextInode");

    let repaired = check(&volume, true).await;
    assert_eq!(states(&repaired), vec![RepairState::Done; 6]);
    let again = check(&volume, false).await;
    assert_eq!(states(&again), []);
    let meta = volume.open().await.unwrap();
    let engine = meta.engine();
    let mut found = engine
        .get(
            &[
                Counter::UsedSpace,
                Counter::TotalInodes,
                Counter::NextInode,
                Counter::NextChunk,
            ]
            .map(Key::Counter),
        )
        .await
        .unwrap();
    assert_eq!(found.counter().unwrap(), Some(4096), "one file of 100 bytes");
    assert_eq!(found.counter().unwrap(), Some(1));
    assert!(found.counter().unwrap() > Some(5), "beyond the file");
    assert!(found.counter().unwrap() > Some(7), "beyond the replaced slice");
}

#[tokio::test]
async fn a_counter_behind_what_it_numbered_is_found_and_set_beyond() {
    use moorage_meta::admin::{Defect, Severity};
    let volume = Damaged::by(
        "UPDATE jfs_counter SET value = 2 WHERE name = 'nextInode';
         UPDATE jfs_counter SET value = 7 WHERE name = 'nextChunk';
         INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (7, 100, 1);",
    )
    .await;
    let behind = |report: &moorage_meta::admin::CheckReport| -> Vec<(Severity, bool)> {
        let found = report.findings.iter();
        let found = found.filter(|found| found.defect == Defect::AllocationCounter);
        found
            .map(|found| (found.severity, found.message.contains("already")))
            .collect()
    };
    assert_eq!(behind(&check(&volume, false).await), [(Severity::Error, true); 2]);
    check(&volume, true).await;
    assert_eq!(behind(&check(&volume, false).await), []);
}

#[tokio::test]
async fn counters_below_zero_keep_a_volume_shut_and_are_set_beyond_everything() {
    use moorage_meta::admin::{Defect, RepairState};
    let volume =
        Damaged::by("UPDATE jfs_counter SET value = -5 WHERE name IN ('nextInode', 'nextChunk')").await;
    let refused = volume.open().await.map(drop).unwrap_err();
    assert!(refused.advice().unwrap().contains("fsck --repair"), "{refused}");
    assert_corrupt(Err(refused), "counter nextInode says -5");
    let states = |report: &moorage_meta::admin::CheckReport| -> Vec<RepairState> {
        let found = report.findings.iter();
        let found = found.filter(|found| found.defect == Defect::AllocationCounter);
        found.map(|found| found.repair.clone()).collect()
    };
    let looked = check(&volume, false).await;
    assert_eq!(states(&looked), [RepairState::Possible, RepairState::Possible]);
    assert_eq!(looked.worst(), Some(moorage_meta::admin::Severity::Error));
    assert_eq!(
        states(&check(&volume, true).await),
        [RepairState::Done, RepairState::Done]
    );
    assert_eq!(states(&check(&volume, false).await), []);
    volume.open().await.unwrap();
}

#[tokio::test]
async fn a_volume_whose_counter_is_behind_is_refused_before_anything_is_written() {
    for (sql, counter) in [
        (
            "UPDATE jfs_counter SET value = 2 WHERE name = 'nextInode'",
            "nextInode",
        ),
        (
            "UPDATE jfs_counter SET value = 7 WHERE name = 'nextChunk'; \
             INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (7, 100, 1)",
            "nextChunk",
        ),
    ] {
        let volume = Damaged::by(sql).await;
        let refused = volume.open().await.map(drop).unwrap_err();
        assert!(refused.advice().unwrap().contains("fsck --repair"), "{refused}");
        assert_corrupt(Err(refused), counter);
        check(&volume, true).await;
        volume.open().await.unwrap();
    }
}

#[tokio::test]
async fn a_relative_change_does_not_make_a_number_of_a_damaged_record() {
    let volume = Damaged::by(
        "INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (8, 100, 'x');
         INSERT OR REPLACE INTO jfs_dir_stats (inode, data_length, used_space, used_inodes) VALUES (1, 'x', 0, 0);",
    )
    .await;
    let engine = volume.open().await.unwrap().engine().clone();
    let owners = moorage_meta::run(&*engine, "test", |txn| {
        Box::pin(async move {
            txn.add_owners(SliceId(8), 100, -1);
            Ok(())
        })
    })
    .await;
    assert_corrupt(owners, "owners of slice 8");
    assert_corrupt(
        volume.read(Key::SliceRef(SliceId(8), 100)).await,
        "owners of slice 8",
    );
    moorage_meta::run(&*engine, "test", |txn| {
        Box::pin(async move {
            let one = DirStat {
                length: 1,
                space: 4096,
                inodes: 1,
            };
            txn.add_dir_stat(Ino::ROOT, one);
            Ok(())
        })
    })
    .await
    .unwrap();
    assert_corrupt(
        volume.read(Key::DirStat(Ino::ROOT)).await,
        "statistics of directory 1",
    );
}

#[tokio::test]
async fn a_usage_counter_that_is_damaged_in_use_fails_the_change_and_stays_damaged() {
    let volume = Damaged::by("").await;
    let meta = volume.open().await.unwrap();
    let raw = rusqlite::Connection::open(volume.folder.path().join("meta.db")).unwrap();
    raw.execute_batch("UPDATE jfs_counter SET value = 'x' WHERE name = 'usedSpace'")
        .unwrap();
    let removed = meta
        .unlink(
            &Context::root(),
            Ino::ROOT,
            &name("file"),
            UnlinkOptions::default(),
        )
        .await;
    assert_corrupt(removed.map(drop), "counter usedSpace");
    assert_corrupt(volume.read(Key::Counter(Counter::UsedSpace)).await, "usedSpace");
    meta.lookup(&Context::root(), Ino::ROOT, &name("file"))
        .await
        .unwrap();
}
