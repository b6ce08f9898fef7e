//! Records that can not be read, one kind after the other.

use moorage_meta::{Context, Key, Meta, Scan};
use moorage_model::{ChunkIndex, ErrorKind, Ino, SessionId, SliceId, SystemClock};

use super::{Damaged, SIBLING, assert_corrupt, name};

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
async fn a_missing_table_is_named_and_not_made_again_empty() {
    for table in [
        "edge",
        "node",
        "chunk",
        "chunk_ref",
        "symlink",
        "counter",
        "delfile",
    ] {
        let volume = Damaged::by(&format!("DROP TABLE jfs_{table}")).await;
        let refused = volume.open().await.map(drop);
        assert_corrupt(refused, &format!("lacks a table of it: jfs_{table}"));
        let engine = moorage_engines::open_existing(&volume.url(), None).unwrap();
        let setting = Meta::load_setting(&engine).await.unwrap().unwrap();
        let formatted = Meta::format(&engine, &setting, &SystemClock).await;
        assert_corrupt(formatted.map(drop), &format!("jfs_{table}"));
    }
}

#[tokio::test]
async fn tables_that_older_releases_did_not_make_are_made() {
    let newer = [
        "dir_stats",
        "dir_quota",
        "user_group_quota",
        "detached_node",
        "acl",
        "delegation_token",
        "change_log",
    ];
    let drops: Vec<String> = newer
        .iter()
        .map(|table| format!("DROP TABLE jfs_{table};"))
        .collect();
    let volume = Damaged::by(&drops.concat()).await;
    let meta = volume.open().await.unwrap();
    let found = meta.lookup(&Context::root(), Ino::ROOT, &name("file")).await;
    assert_eq!(found.unwrap().0, Ino(5));
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
