//! Damaged records are refused by name, and volumes of other releases by their gates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use moorage_meta::{Context, Key, Meta, MetaOptions, Scan};
use moorage_model::{
    ChunkIndex, Error, ErrorKind, Ino, Name, Result, SessionId, Setting, SliceId, SystemClock,
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
             INSERT INTO jfs_plock (inode, sid, owner, records) VALUES (5, 1, 1, zeroblob(24));",
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
