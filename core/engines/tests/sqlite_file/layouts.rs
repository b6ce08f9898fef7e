//! Layouts of older releases.

use std::sync::Arc;

use moorage_meta::{Context, Key, Meta, MetaOptions, Record, Scan};
use moorage_model::{Attr, Entry, Ino, Name, NodeType, SystemClock};

use super::folder::{Folder, attr, count, setting, write};

/// A volume as release 1.0 made it: fewer tables, fewer columns, a row from before a column.
async fn old_volume(folder: &Folder) {
    let engine = folder.engine();
    Meta::format(&engine, &setting(), &SystemClock).await.unwrap();
    write(engine.as_ref(), |txn| {
        txn.insert(Key::Node(Ino(5)), Record::Node(attr()));
        let entry = Entry {
            kind: NodeType::File,
            ino: Ino(5),
        };
        txn.insert(Key::Edge(Ino(1), Name::new(b"old").unwrap()), Record::Edge(entry));
    })
    .await
    .unwrap();
    engine.close().await.unwrap();
    folder
        .raw()
        .execute_batch(
            "ALTER TABLE jfs_node DROP COLUMN access_acl_id; ALTER TABLE jfs_node DROP COLUMN default_acl_id;
             ALTER TABLE jfs_node DROP COLUMN tier_id; UPDATE jfs_node SET rdev = NULL, parent = NULL WHERE inode = 5;
             DROP TABLE jfs_acl; DROP TABLE jfs_user_group_quota; DROP TABLE jfs_dir_quota; DROP TABLE jfs_dir_stats;
             DROP TABLE jfs_detached_node; DROP TABLE jfs_change_log; DROP TABLE jfs_delegation_token;
             DROP INDEX IDX_jfs_edge_inode;",
        )
        .unwrap();
}

#[tokio::test]
async fn a_new_database_has_small_pages_and_one_that_exists_keeps_its_own() {
    async fn made_in(folder: &Folder) -> i64 {
        let engine = folder.engine();
        Meta::format(&engine, &setting(), &SystemClock).await.unwrap();
        engine.close().await.unwrap();
        let pages = folder.raw().query_row("PRAGMA page_size", [], |row| row.get(0));
        pages.unwrap()
    }
    assert_eq!(made_in(&Folder::new()).await, 1024);
    let folder = Folder::new();
    folder
        .raw()
        .execute_batch("PRAGMA page_size = 8192; CREATE TABLE other (id INTEGER); DROP TABLE other;")
        .unwrap();
    assert_eq!(made_in(&folder).await, 8192);
}

#[tokio::test]
async fn a_read_only_client_reads_an_old_layout_and_leaves_it_alone() {
    let folder = Folder::new();
    old_volume(&folder).await;
    let before = std::fs::read(folder.file()).unwrap();
    let options = MetaOptions {
        read_only: true,
        ..MetaOptions::default()
    };
    let engine = folder.engine();
    let meta = Meta::open(Arc::clone(&engine), options, Arc::new(SystemClock))
        .await
        .unwrap();
    let (_, found) = meta
        .lookup(&Context::root(), Ino(1), &Name::new(b"old").unwrap())
        .await
        .unwrap();
    let expected = Attr {
        parent: Ino::NONE,
        ..attr()
    };
    assert_eq!(found, expected, "NULL and missing columns read as 0");
    for range in [Scan::Acls, Scan::Quotas, Scan::DirStats, Scan::Detached] {
        assert!(
            engine.scan(&range, None, 10).await.unwrap().items.is_empty(),
            "{range:?}"
        );
    }
    drop(meta);
    engine.close().await.unwrap();
    drop(engine);
    assert_eq!(std::fs::read(folder.file()).unwrap(), before);
}

#[tokio::test]
async fn a_writing_client_completes_an_old_layout() {
    let folder = Folder::new();
    old_volume(&folder).await;
    let engine = folder.engine();
    // Readers that were opened with the old layout must not keep it.
    assert!(engine.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
    engine.prepare().await.unwrap();
    let mut changed = attr();
    changed.tier = moorage_model::TierId(2);
    changed.access_acl = moorage_model::AclId(7);
    let stored = Record::Node(changed);
    let put = stored.clone();
    write(engine.as_ref(), move |txn| {
        txn.put(Key::Node(Ino(5)), put.clone());
    })
    .await
    .unwrap();
    assert_eq!(engine.read(&[Key::Node(Ino(5))]).await.unwrap(), [Some(stored)]);
    engine.close().await.unwrap();
    let alone = folder.main_file_only();
    for table in [
        "jfs_acl",
        "jfs_user_group_quota",
        "jfs_dir_stats",
        "jfs_change_log",
    ] {
        assert_eq!(count(&alone, table), 0);
    }
    assert_eq!(
        count(&alone, "sqlite_master WHERE name = 'IDX_jfs_edge_inode'"),
        1
    );
}
