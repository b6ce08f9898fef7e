//! Servers whose disk is full: a change is refused as a whole, and what was acknowledged stays.

use std::path::Path;
use std::process::Command;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{ErrorKind, Ino, Result};

use crate::place::Place;

/// Of one value: nearly what a column of MySQL holds.
const VALUE_BYTES: usize = 60_000;
/// More than either disk holds.
const MOST: u64 = 2000;

async fn store(engine: &dyn Engine, number: u64) -> Result<()> {
    run(engine, "store", move |txn| {
        Box::pin(async move {
            // Not to be compressed away.
            let value: Vec<u8> = (0..VALUE_BYTES).map(|_| rand::random()).collect();
            txn.put(Key::Xattr(Ino(number), b"user.a".to_vec()), Record::Xattr(value));
            txn.put(
                Key::Xattr(Ino(number), b"user.b".to_vec()),
                Record::Xattr(vec![1]),
            );
            Ok(())
        })
    })
    .await
}

async fn is_refused_whole(place: &Place) {
    let engine = open(&place.url(), None).unwrap();
    engine.prepare().await.unwrap();
    let mut stored = 0;
    let error = loop {
        match store(engine.as_ref(), stored).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < MOST, "the disk is not full");
    };
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert!(error.advice().unwrap().contains("Free some space"), "{error}");
    assert!(stored > 0);
    assert_eq!(place.count("SELECT count(*) FROM jfs_xattr"), 2 * stored);
    let last = Key::Xattr(Ino(stored - 1), b"user.a".to_vec());
    let found = engine.read(&[last]).await.unwrap().pop().flatten();
    assert!(matches!(found, Some(Record::Xattr(value)) if value.len() == VALUE_BYTES));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mysql_refuses_a_change_as_a_whole() {
    let small = [
        "--innodb-file-per-table=0",
        "--innodb-data-file-path=ibdata1:12M:autoextend:max:40M",
    ];
    let Some(place) = Place::own_mysql(&small) else {
        return;
    };
    is_refused_whole(&place).await;
}

/// A small disk of its own, gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where this user may not mount.
    fn mounted() -> Option<Disk> {
        let point = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,uid=65534", "moorage-test"])
            .arg(point.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Disk(point))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_postgres_refuses_a_change_as_a_whole() {
    let Some(disk) = Disk::mounted() else {
        eprintln!("SKIPPED: this user may not mount, so nothing about a full disk of PostgreSQL is tested");
        return;
    };
    let Some(place) = Place::own_postgres(&[]) else {
        return;
    };
    place.tell(&format!(
        "CREATE TABLESPACE small LOCATION '{}'",
        disk.path().display()
    ));
    place.tell("ALTER USER tester SET default_tablespace = small");
    is_refused_whole(&place).await;
}
