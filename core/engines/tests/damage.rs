//! Damaged records are refused by name, and volumes of other releases by their gates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use moorage_meta::{Context, Key, Meta, MetaOptions, Scan, TxnExt as _, UnlinkOptions};
use moorage_model::{
    ChunkIndex, Counter, DirStat, Error, ErrorKind, Ino, Name, Result, SessionId, Setting, SliceId,
    SystemClock,
};

struct Damaged {
    folder: tempfile::TempDir,
}

impl Damaged {
    /// A volume with a file, a chunk, locks and replaced slices, and then this done to it.
    async fn by(sql: &str) -> Damaged {
        let damaged = Damaged {
            folder: tempfile::tempdir().unwrap(),
        };
        let engine = moorage_engines::open(&damaged.url(), None).unwrap();
        let setting = Setting {
            name: "damaged".to_owned(),
            uuid: "faa27c8f-edab-4791-a4e0-1620b732b343".to_owned(),
            storage: "file".to_owned(),
            bucket: "/objects/".to_owned(),
            block_size: 4096,
            trash_days: 1,
            ..Setting::default()
        };
        Meta::format(&engine, &setting, &SystemClock).await.unwrap();
        engine.close().await.unwrap();
        let raw = rusqlite::Connection::open(damaged.folder.path().join("meta.db")).unwrap();
        raw.execute_batch(
            "INSERT INTO jfs_node SELECT 5, 1, 0, 420, 0, 0, 0, 0, 0, 0, 0, 0, 1, 100, 0, 1, NULL, NULL, NULL;
             INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('file' AS BLOB), 5, 1);
             INSERT INTO jfs_chunk (inode, indx, slices) VALUES (5, 0, zeroblob(24));
             INSERT INTO jfs_delslices VALUES (7, 1700000000, zeroblob(12));
             INSERT INTO jfs_flock (inode, sid, owner, ltype) VALUES (5, 1, 1, 82);
             INSERT INTO jfs_plock (inode, sid, owner, records) VALUES (5, 1, 1, zeroblob(24));
             UPDATE jfs_counter SET value = 100 WHERE name IN ('nextInode', 'nextChunk');",
        )
        .unwrap();
        raw.execute_batch(sql).unwrap();
        damaged
    }

    fn url(&self) -> String {
        format!("sqlite3://{}", self.folder.path().join("meta.db").display())
    }

    async fn open(&self) -> Result<Arc<Meta>> {
        let engine = moorage_engines::open_existing(&self.url(), None)?;
        Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock)).await
    }

    async fn read(&self, key: Key) -> Result<()> {
        moorage_engines::open_existing(&self.url(), None)?
            .read(&[key])
            .await
            .map(drop)
    }

    async fn scan(&self, range: Scan) -> Result<()> {
        moorage_engines::open_existing(&self.url(), None)?
            .scan(&range, None, 100)
            .await
            .map(drop)
    }
}

#[track_caller]
fn assert_corrupt(result: Result<()>, named: &str) {
    let error: Error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let text = error.to_string();
    assert!(text.contains(named), "{text:?} does not name {named:?}");
    assert!(text.contains("meta.db"), "{text:?} does not name the file");
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn an_undamaged_volume_opens() {
    let volume = Damaged::by("").await;
    let meta = volume.open().await.unwrap();
    let (ino, attr) = meta
        .lookup(&Context::root(), Ino::ROOT, &name("file"))
        .await
        .unwrap();
    assert_eq!(
        (ino, attr.length, attr.access_acl.0),
        (Ino(5), 100, 0),
        "NULL columns read as 0"
    );
}

#[tokio::test]
async fn a_damaged_setting_is_named() {
    for text in ["", "{", "[]", "{\"Name\": 5}"] {
        let volume = Damaged::by(&format!("UPDATE jfs_setting SET value = '{text}'")).await;
        assert_corrupt(volume.open().await.map(drop), "setting");
    }
}

#[tokio::test]
async fn a_missing_root_is_named() {
    let volume = Damaged::by("DELETE FROM jfs_node WHERE inode = 1").await;
    assert_corrupt(volume.open().await.map(drop), "root");
}

#[tokio::test]
async fn damaged_attributes_are_named() {
    for change in [
        "type = 0",
        "type = 99",
        "mode = 70000",
        "uid = -1",
        "nlink = -5",
        "length = 'long'",
        "length = -1",
        "length = 9223372036854775807",
        "tier_id = 256",
    ] {
        let volume = Damaged::by(&format!("UPDATE jfs_node SET {change} WHERE inode = 5")).await;
        assert_corrupt(volume.read(Key::Node(Ino(5))).await, "attributes of inode 5");
        let meta = volume.open().await.unwrap();
        let found = meta.lookup(&Context::root(), Ino::ROOT, &name("file")).await;
        assert_corrupt(found.map(drop), "attributes of inode 5");
    }
}

#[tokio::test]
async fn a_damaged_node_leaves_its_folder_usable() {
    let beside = "INSERT INTO jfs_node SELECT 6, type, flags, mode, uid, gid, atime, mtime, ctime, atimensec, mtimensec, \
                  ctimensec, nlink, length, rdev, parent, access_acl_id, default_acl_id, tier_id FROM jfs_node \
                  WHERE inode = 5; \
                  INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('sibling' AS BLOB), 6, 1); \
                  UPDATE jfs_node SET mode = 70000 WHERE inode = 5";
    let volume = Damaged::by(beside).await;
    let meta = volume.open().await.unwrap();
    let root = Context::root();
    let listed = meta
        .read_directory(&root, Ino::ROOT, None, 10, true)
        .await
        .unwrap();
    let seen: Vec<(&[u8], bool, bool)> = listed
        .iter()
        .map(|item| (item.name.as_bytes(), item.attr.is_some(), item.damaged))
        .collect();
    assert_eq!(
        seen,
        [(&b"file"[..], false, true), (&b"sibling"[..], true, false)]
    );
    let (ino, _) = meta.lookup(&root, Ino::ROOT, &name("sibling")).await.unwrap();
    assert_eq!(ino, Ino(6));
    let found = meta.lookup(&root, Ino::ROOT, &name("file")).await;
    assert_corrupt(found.map(drop), "attributes of inode 5");
}

#[tokio::test]
async fn fsck_names_a_damaged_node_and_goes_on() {
    use moorage_meta::admin::{CheckOptions, CheckScope, Defect, Progress};
    let volume = Damaged::by(
        "UPDATE jfs_node SET mode = 70000 WHERE inode = 5;
         INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('gone' AS BLOB), 99, 1);",
    )
    .await;
    let meta = volume.open().await.unwrap();
    let options = CheckOptions {
        scope: CheckScope::Tree(Ino::ROOT),
        repair: true,
    };
    let report = meta.check(options, &Progress::default()).await.unwrap();
    let of = |defect| {
        let mut found = report.findings.iter().filter(|finding| finding.defect == defect);
        found.next().map(|finding| finding.message.clone())
    };
    let damaged = of(Defect::DamagedRecord).unwrap();
    assert!(
        damaged.contains("file") && damaged.contains("inode 5"),
        "{damaged}"
    );
    assert!(
        of(Defect::MissingNode).unwrap().contains("gone"),
        "{:?}",
        report.findings
    );
    assert_eq!(
        of(Defect::DirectoryStatistics),
        None,
        "a sum without the damaged node"
    );
    let listed = meta
        .read_directory(&Context::root(), Ino::ROOT, None, 10, true)
        .await
        .unwrap();
    assert!(listed.iter().any(|item| item.damaged), "the entry stays");
}

/// A sibling of `file`, with a chunk of its own.
const SIBLING: &str = "INSERT INTO jfs_node SELECT 6, type, flags, mode, uid, gid, atime, mtime, ctime, atimensec, \
    mtimensec, ctimensec, nlink, length, rdev, parent, access_acl_id, default_acl_id, tier_id FROM jfs_node \
    WHERE inode = 5; \
    INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('sibling' AS BLOB), 6, 1); \
    INSERT INTO jfs_chunk (inode, indx, slices) VALUES (6, 0, zeroblob(24));";

async fn check(volume: &Damaged, repair: bool) -> moorage_meta::admin::CheckReport {
    use moorage_meta::admin::{CheckOptions, CheckScope, Progress};
    let options = CheckOptions {
        scope: CheckScope::Volume,
        repair,
    };
    let engine = moorage_engines::open_existing(&volume.url(), None).unwrap();
    let accepting = MetaOptions {
        accept_damaged_usage: true,
        ..MetaOptions::default()
    };
    let meta = Meta::open(engine, accepting, Arc::new(SystemClock))
        .await
        .unwrap();
    meta.check(options, &Progress::default()).await.unwrap()
}

#[tokio::test]
async fn fsck_names_damaged_records_of_every_kind_and_goes_on() {
    use moorage_meta::admin::{Defect, Severity};
    // Each with what its finding has to name.
    for (sql, named) in [
        (
            "UPDATE jfs_node SET mode = 70000 WHERE inode = 5",
            "\"file\" of \"/\"",
        ),
        (
            "UPDATE jfs_edge SET type = 0 WHERE inode = 5",
            "entry file of directory 1",
        ),
        (
            "UPDATE jfs_edge SET name = CAST('a/b' AS BLOB) WHERE inode = 5",
            "directory 1",
        ),
        (
            "UPDATE jfs_chunk SET slices = zeroblob(23) WHERE inode = 5",
            "\"/file\"",
        ),
        (
            "UPDATE jfs_delslices SET slices = zeroblob(13)",
            "replaced by slice 7",
        ),
        (
            "INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (8, 100, 'x')",
            "owners of slice 8",
        ),
        (
            "INSERT INTO jfs_session2 (sid, expire, info) VALUES (1, 'x', '{}')",
            "session 1",
        ),
        (
            "INSERT INTO jfs_detached_node (inode, added) VALUES (9, 'x')",
            "unfinished clone 9",
        ),
        (
            "INSERT INTO jfs_delfile (inode, length, expire) VALUES (9, 5, 'x')",
            "deleted file 9",
        ),
        (
            "INSERT OR REPLACE INTO jfs_dir_stats (inode, data_length, used_space, used_inodes) VALUES (1, 0, 'x', 0)",
            "statistics of directory 1",
        ),
        (
            "INSERT INTO jfs_session2 (sid, expire, info) VALUES (1, 1, '{}'); \
             UPDATE jfs_flock SET ltype = 88",
            "\"/file\"",
        ),
        (
            "INSERT INTO jfs_xattr (inode, name, value) VALUES (5, 'user.a', 1.5)",
            "\"/file\"",
        ),
        (
            "UPDATE jfs_node SET type = 3 WHERE inode = 5; UPDATE jfs_edge SET type = 3 WHERE inode = 5; \
             INSERT INTO jfs_symlink (inode, target) VALUES (5, 1.5)",
            "\"/file\"",
        ),
    ] {
        let gone =
            "INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('z-gone' AS BLOB), 99, 1);";
        let volume = Damaged::by(&format!("{SIBLING} {gone} {sql};")).await;
        let report = check(&volume, false).await;
        let of = |defect| {
            let found = report.findings.iter().filter(move |found| found.defect == defect);
            found.map(|found| found.message.clone()).collect::<Vec<_>>()
        };
        let damaged = of(Defect::DamagedRecord);
        assert!(
            damaged.len() == 1 && damaged.iter().all(|message| message.contains(named)),
            "{sql}: {damaged:?}"
        );
        assert_eq!(report.counts.damaged, 1, "{sql}");
        assert_eq!(report.worst(), Some(Severity::Error));
        let missing = of(Defect::MissingNode);
        assert!(
            missing.iter().any(|message| message.contains("z-gone")),
            "{sql}: {missing:?}"
        );
    }
}

#[tokio::test]
async fn what_lies_in_a_damaged_folder_is_checked_and_no_orphan() {
    use moorage_meta::admin::Defect;
    let folder = "UPDATE jfs_node SET type = 2, mode = 70000 WHERE inode = 5; UPDATE jfs_edge SET type = 2; \
                  INSERT INTO jfs_edge (parent, name, inode, type) VALUES (5, CAST('gone' AS BLOB), 99, 1);";
    let volume = Damaged::by(&format!("{SIBLING} {folder} UPDATE jfs_edge SET parent = 5, type = 1 WHERE inode = 6; UPDATE jfs_node SET parent = 5 WHERE inode = 6;")).await;
    let defects: Vec<Defect> = check(&volume, false)
        .await
        .findings
        .iter()
        .map(|finding| finding.defect)
        .filter(|defect| {
            !matches!(
                defect,
                Defect::UsageCounter | Defect::DirectoryStatistics | Defect::LinkCount
            )
        })
        .collect();
    assert_eq!(defects, [Defect::DamagedRecord, Defect::MissingNode]);
}

#[tokio::test]
async fn a_repair_changes_nothing_that_only_a_damaged_record_could_tell() {
    let rows = |volume: &Damaged, sql: &str| -> i64 {
        let raw = rusqlite::Connection::open(volume.folder.path().join("meta.db")).unwrap();
        raw.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let used = "SELECT value FROM jfs_counter WHERE name = 'usedSpace'";
    let home = "SELECT COUNT(*) FROM jfs_edge WHERE name = CAST('lost+found' AS BLOB)";
    let owners = "SELECT refs FROM jfs_chunk_ref WHERE chunkid = 8";
    let wrong = "INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (8, 100, 3); \
                 UPDATE jfs_counter SET value = 5 WHERE name = 'usedSpace';";
    // What is repaired when everything can be read.
    let sound = Damaged::by(&format!(
        "{SIBLING} {wrong} DELETE FROM jfs_edge WHERE inode = 5;"
    ))
    .await;
    check(&sound, true).await;
    assert_ne!(rows(&sound, used), 5);
    assert_eq!((rows(&sound, home), rows(&sound, owners)), (1, 0));

    let list = Damaged::by(&format!("{wrong} UPDATE jfs_chunk SET slices = zeroblob(23)")).await;
    check(&list, true).await;
    assert_eq!(rows(&list, owners), 3, "the damaged list may own it");

    let node = Damaged::by(&format!(
        "{SIBLING} {wrong} UPDATE jfs_node SET mode = 70000 WHERE inode = 5"
    ))
    .await;
    check(&node, true).await;
    assert_eq!(rows(&node, used), 5, "the damaged node uses something");

    let entry = Damaged::by(&format!(
        "{SIBLING} {wrong} UPDATE jfs_edge SET type = 0 WHERE inode = 5"
    ))
    .await;
    check(&entry, true).await;
    assert_eq!(rows(&entry, home), 0, "the damaged entry is its name");
    assert_eq!(rows(&entry, used), 5, "what it leads to uses something");
}

#[tokio::test]
async fn a_survey_goes_on_behind_damaged_records() {
    let lists = "INSERT INTO jfs_chunk (inode, indx, slices) VALUES (5, 1, zeroblob(23)), (5, 'x', zeroblob(24)), \
                 (6, 0, zeroblob(24))";
    let volume = Damaged::by(lists).await;
    let engine = moorage_engines::open_existing(&volume.url(), None).unwrap();
    for limit in [1, 2, 100] {
        let (mut keys, mut damaged) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = engine
                .survey(&Scan::AllChunks, after.as_ref(), limit)
                .await
                .unwrap();
            keys.extend(page.items.into_iter().map(|(key, _)| key));
            damaged.extend(page.damaged.into_iter().map(|found| found.key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let chunk = |ino, index| Key::Chunk(Ino(ino), ChunkIndex(index));
        assert_eq!(keys, [chunk(5, 0), chunk(6, 0)], "pages of {limit}");
        assert_eq!(damaged, [Some(chunk(5, 1)), None], "pages of {limit}");
    }
}

#[tokio::test]
async fn damaged_slice_lists_are_named() {
    for value in [
        "zeroblob(23)",
        "zeroblob(25)",
        "5",
        "x'04000001000000000000000100000001000000000000000100'",
    ] {
        let volume = Damaged::by(&format!("UPDATE jfs_chunk SET slices = {value}")).await;
        assert_corrupt(
            volume.read(Key::Chunk(Ino(5), ChunkIndex(0))).await,
            "chunk 0 of inode 5",
        );
        assert_corrupt(volume.scan(Scan::AllChunks).await, "chunk 0 of inode 5");
    }
}

#[tokio::test]
async fn damaged_entries_are_named() {
    let volume = Damaged::by("UPDATE jfs_edge SET type = 0").await;
    assert_corrupt(
        volume.read(Key::Edge(Ino(1), name("file"))).await,
        "entry file of directory 1",
    );
    let volume = Damaged::by("UPDATE jfs_edge SET name = CAST('a/b' AS BLOB)").await;
    assert_corrupt(volume.scan(Scan::Edges(Ino(1))).await, "directory 1");
}

#[tokio::test]
async fn damaged_locks_and_replaced_slices_are_named() {
    let volume = Damaged::by("UPDATE jfs_flock SET ltype = 88").await;
    assert_corrupt(volume.scan(Scan::FileLocks(Ino(5))).await, "on inode 5");
    let volume = Damaged::by("UPDATE jfs_plock SET records = zeroblob(23)").await;
    assert_corrupt(volume.scan(Scan::SessionLocks(SessionId(1))).await, "on inode 5");
    let volume = Damaged::by("UPDATE jfs_delslices SET slices = zeroblob(13)").await;
    assert_corrupt(
        volume.read(Key::DelayedSlices(SliceId(7), 1_700_000_000)).await,
        "replaced by slice 7",
    );
}

#[tokio::test]
async fn a_damaged_quota_or_acl_rule_does_not_keep_a_volume_shut() {
    let volume = Damaged::by(&format!(
        "{SIBLING} UPDATE jfs_setting SET value = json_set(value, '$.DirStats', json('true'), '$.EnableACL', json('true')); \
         INSERT INTO jfs_dir_quota (inode, max_space, max_inodes, used_space, used_inodes) VALUES (9, 'x', 0, 0, 0); \
         INSERT INTO jfs_acl (id, owner, `group`, mask, other, named_users, named_groups) \
         VALUES (1, 7, 5, 7, 5, zeroblob(3), zeroblob(0)); \
         UPDATE jfs_node SET access_acl_id = 1 WHERE inode = 5",
    ))
    .await;
    assert_corrupt(volume.scan(Scan::Quotas).await, "directory 9");
    assert_corrupt(volume.scan(Scan::Acls).await, "ACL rule 1");
    let meta = volume.open().await.unwrap();
    let stranger = Context {
        uid: moorage_model::Uid(1000),
        gid: moorage_model::Gid(1000),
        check_permission: true,
        ..Context::root()
    };
    meta.access(&stranger, Ino(6), moorage_meta::MAY_READ)
        .await
        .unwrap();
    let refused = meta.access(&stranger, Ino(5), moorage_meta::MAY_READ).await;
    assert_corrupt(refused.map(drop), "ACL rule 1");
}

#[tokio::test]
async fn other_versions_are_refused() {
    for (member, value) in [
        ("MetaVersion", "2"),
        ("MinClientVersion", "\"9.0.0\""),
        ("MaxClientVersion", "\"1.0.0\""),
    ] {
        let set = format!("UPDATE jfs_setting SET value = json_set(value, '$.{member}', json('{value}'))");
        let error = Damaged::by(&set).await.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionMismatch, "{error}");
        assert!(
            error.advice().is_some() && error.to_string().contains("damaged"),
            "{error}"
        );
    }
}

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
