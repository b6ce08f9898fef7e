//! What fsck says of damaged records, and what it leaves alone.

use moorage_meta::Context;
use moorage_model::Ino;

use super::{Damaged, SIBLING, check};

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
async fn a_repair_gives_entries_with_impossible_names_others_and_loses_nothing() {
    use moorage_meta::admin::{Defect, RepairState};
    for (bytes, flaw) in [
        ("CAST('a/b' AS BLOB)", "a slash"),
        ("x''", "empty"),
        ("x'6100'", "a NUL"),
        ("CAST('.' AS BLOB)", "the directory itself"),
        ("zeroblob(256)", "longer than 255"),
    ] {
        let volume = Damaged::by(&format!(
            "{SIBLING} UPDATE jfs_edge SET name = {bytes} WHERE inode = 5; \
             INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('renamed-5' AS BLOB), 6, 1); \
             UPDATE jfs_node SET nlink = 2, parent = 0 WHERE inode = 6;"
        ))
        .await;
        let found = |report: &moorage_meta::admin::CheckReport| -> Vec<(Defect, RepairState, String)> {
            let drifting = [Defect::UsageCounter, Defect::DirectoryStatistics];
            let findings = report.findings.iter();
            let findings = findings.filter(|finding| !drifting.contains(&finding.defect));
            findings
                .map(|finding| (finding.defect, finding.repair.clone(), finding.message.clone()))
                .collect()
        };
        for (repair, state) in [(false, RepairState::Possible), (true, RepairState::Done)] {
            let mut findings = found(&check(&volume, repair).await).into_iter();
            let (defect, done, message) = findings.next().unwrap();
            assert_eq!(findings.next(), None, "{bytes}");
            assert_eq!((defect, done), (Defect::ReservedName, state), "{bytes}");
            assert!(message.contains(flaw) && message.contains("inode 5"), "{message}");
        }
        assert_eq!(found(&check(&volume, false).await), [], "{bytes}");
        let meta = volume.open().await.unwrap();
        let root = Context::root();
        let (ino, attr) = meta
            .lookup(&root, Ino::ROOT, &super::name("renamed-5-2"))
            .await
            .unwrap();
        assert_eq!((ino, attr.length), (Ino(5), 100), "{bytes}");
        let listed = meta
            .read_directory(&root, Ino::ROOT, None, 10, true)
            .await
            .unwrap();
        assert_eq!(listed.len(), 3, "{bytes}");
    }
}

#[tokio::test]
async fn a_check_of_one_folder_repairs_its_impossible_names() {
    use moorage_meta::admin::{CheckOptions, CheckScope, Defect, Progress};
    let volume = Damaged::by("UPDATE jfs_edge SET name = CAST('a/b' AS BLOB) WHERE inode = 5;").await;
    let meta = volume.open().await.unwrap();
    let options = CheckOptions {
        scope: CheckScope::Tree(Ino::ROOT),
        repair: true,
    };
    let report = meta.check(options, &Progress::default()).await.unwrap();
    let defects: Vec<Defect> = report.findings.iter().map(|finding| finding.defect).collect();
    assert!(defects.contains(&Defect::ReservedName), "{:?}", report.findings);
    assert!(!defects.contains(&Defect::DamagedRecord), "{:?}", report.findings);
    let found = meta
        .lookup(&Context::root(), Ino::ROOT, &super::name("renamed-5"))
        .await;
    assert_eq!(found.unwrap().0, Ino(5));
}

#[tokio::test]
async fn an_entry_that_can_not_be_read_hides_no_other_of_its_folder() {
    for damage in [
        "UPDATE jfs_edge SET name = CAST('a/b' AS BLOB) WHERE inode = 5",
        "UPDATE jfs_edge SET type = 0 WHERE inode = 5",
    ] {
        let volume = Damaged::by(&format!("{SIBLING} {damage};")).await;
        let meta = volume.open().await.unwrap();
        for (limit, attributes) in [(1, true), (1, false), (2, true), (10, false)] {
            let listed = meta
                .read_directory(&Context::root(), Ino::ROOT, None, limit, attributes)
                .await
                .unwrap();
            let names: Vec<&[u8]> = listed.iter().map(|item| item.name.as_bytes()).collect();
            assert_eq!(names, [b"sibling"], "{damage}: {limit}");
            assert_eq!(
                listed.iter().filter(|item| item.attr.is_some()).count(),
                usize::from(attributes)
            );
        }
        let end = meta
            .read_directory(
                &Context::root(),
                Ino::ROOT,
                Some(&super::name("sibling")),
                1,
                true,
            )
            .await;
        assert_eq!(end.unwrap(), []);
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
