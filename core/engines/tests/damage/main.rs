//! Damaged records are refused by name, and volumes of other releases by their gates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod counters;
mod records;

use std::sync::Arc;

use moorage_meta::{Key, Meta, MetaOptions, Scan};
use moorage_model::{Error, ErrorKind, Name, Result, Setting, SystemClock};

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
