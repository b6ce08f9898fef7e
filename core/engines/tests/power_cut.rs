//! What a power cut leaves of a SQLite database: everything before the last barrier, whole transactions only, and
//! nothing durable that no barrier asked for.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod recording;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Durability, Engine, Key, Record, Scan, run};
use moorage_model::{
    Attr, ChunkIndex, ErrorKind, Gid, Ino, NodeType, Result, Slice, SliceId, Timestamp, Uid,
};
use recording::image::{Dice, Disk, Unsynced};
use recording::{Change, deny_shared_memory, events, fill_disk, install, position, record_sync};

/// The events of all databases are in one list.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// First inode of the numbered transactions.
const FIRST: u64 = 100;

struct Machine {
    folder: tempfile::TempDir,
    began: usize,
    engine: Arc<dyn Engine>,
    committed: u64,
    /// Number of transactions that a barrier covered, and the position at which it was acknowledged.
    promises: Vec<(usize, u64)>,
}

impl Machine {
    async fn start() -> Machine {
        install();
        Machine::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(folder: tempfile::TempDir) -> Machine {
        let began = position();
        let engine = open(&Machine::url(folder.path()), None).unwrap();
        engine.prepare().await.unwrap();
        Machine {
            folder,
            began,
            engine,
            committed: 0,
            promises: Vec::new(),
        }
    }

    fn url(folder: &Path) -> String {
        format!("sqlite3://{}", folder.join("meta.db").display())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("meta.db-wal")
    }

    /// One transaction: two nodes and an extended attribute of this many bytes.
    async fn commit(&mut self, bytes: usize) -> Result<()> {
        let number = self.committed;
        run(self.engine.as_ref(), "numbered", move |txn| {
            Box::pin(async move {
                let now = Timestamp::new(1_700_000_000, 0);
                for ino in [FIRST + 2 * number, FIRST + 2 * number + 1] {
                    let attr = Attr::new(NodeType::File, 0o644, Uid(0), Gid(0), now, Ino::ROOT);
                    txn.insert(Key::Node(Ino(ino)), Record::Node(attr));
                }
                let key = Key::Xattr(Ino(FIRST + 2 * number), b"user.bulk".to_vec());
                txn.insert(key, Record::Xattr(vec![7; bytes]));
                Ok(())
            })
        })
        .await?;
        self.committed += 1;
        Ok(())
    }

    async fn barrier(&mut self) {
        let (started, covers) = (position(), self.committed);
        self.engine.make_durable().await.unwrap();
        // The engine syncs the log past SQLite, before it does anything else.
        record_sync(&self.log(), started);
        self.promises.push((position(), covers));
    }

    /// Closes the database, which is a barrier, and opens it again.
    async fn reopen(&mut self) {
        self.barrier().await;
        self.engine.close().await.unwrap();
        self.engine = open(&Machine::url(self.folder.path()), None).unwrap();
    }

    /// Cuts the power at every position that `chosen` names, and looks at what is left.
    fn cut(&self, seed: u64, chosen: impl Fn(usize, &Change) -> bool) -> usize {
        let mut disk = Disk::default();
        let mut cuts = 0;
        for (index, event) in (self.began..).zip(events(self.began..position())) {
            disk.happen(&event);
            if !chosen(index, &event.change) {
                continue;
            }
            let promised = self.promises.iter().rev().find(|(at, _)| *at <= index + 1);
            for unsynced in [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn] {
                let target = tempfile::tempdir().unwrap();
                let mut dice = Dice(seed + u64::try_from(index).unwrap());
                disk.cut_into(self.folder.path(), target.path(), unsynced, &mut dice);
                let survived = survivors(target.path(), promised.is_some());
                let promised = promised.map_or(0, |(_, covers)| *covers);
                assert!(
                    survived >= promised,
                    "{survived} of {promised} promised transactions survived a cut at {index}, {unsynced:?}"
                );
                cuts += 1;
            }
        }
        cuts
    }
}

/// The number of transactions in the database that a cut left. They are whole, and the first ones.
fn survivors(folder: &Path, tables: bool) -> u64 {
    let raw = rusqlite::Connection::open(folder.join("meta.db")).unwrap();
    let found = raw
        .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
        .unwrap();
    assert_eq!(found, "ok");
    let any: i64 = raw
        .query_row(
            "SELECT COUNT(*) FROM sqlite_master WHERE name = 'jfs_node'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(any == 1 || !tables, "the tables are gone");
    if any == 0 {
        return 0;
    }
    let mut statement = raw.prepare("SELECT inode FROM jfs_node ORDER BY inode").unwrap();
    let inodes: Vec<u64> = statement
        .query_map([], |row| row.get::<_, i64>(0))
        .unwrap()
        .map(|ino| u64::try_from(ino.unwrap()).unwrap())
        .collect();
    let count = u64::try_from(inodes.len()).unwrap();
    assert!(count.is_multiple_of(2), "half a transaction survived");
    assert_eq!(
        inodes,
        (FIRST..FIRST + count).collect::<Vec<u64>>(),
        "a transaction is missing in between"
    );
    count / 2
}

#[tokio::test]
async fn what_a_barrier_covered_survives_a_cut_at_any_moment() {
    let _alone = ALONE.lock().await;
    for seed in [1, 2] {
        let mut machine = Machine::start().await;
        let mut dice = Dice(seed);
        for _ in 0..30 {
            match dice.roll(8) {
                0 | 1 => machine.barrier().await,
                2 => machine.reopen().await,
                _ => machine
                    .commit(usize::try_from(dice.roll(9000)).unwrap())
                    .await
                    .unwrap(),
            }
        }
        machine.barrier().await;
        let last = machine.promises.last().copied().unwrap();
        assert!(last.1 > 5, "enough was committed: {last:?}");
        // Every moment around a sync, and some others.
        let cuts = machine.cut(seed, |index, change| {
            matches!(change, Change::Sync | Change::Delete | Change::Truncate { .. })
                || index.is_multiple_of(7)
        });
        assert!(cuts > 100, "{cuts} cuts");
    }
}

#[tokio::test]
async fn a_cut_while_a_long_log_is_checkpointed_loses_nothing() {
    let _alone = ALONE.lock().await;
    let mut machine = Machine::start().await;
    machine.commit(100).await.unwrap();
    machine.barrier().await;
    while std::fs::metadata(machine.log()).unwrap().len() <= 32 << 20 {
        machine.commit(2 << 20).await.unwrap();
    }
    let before = position();
    machine.barrier().await;
    let synced = events(before..position())
        .iter()
        .filter(|event| event.change == Change::Sync)
        .count();
    assert!(
        synced >= 2,
        "the barrier moved the log into the database: {synced} syncs"
    );
    let end = position();
    machine.commit(100).await.unwrap();
    machine.commit(100).await.unwrap();
    machine.barrier().await;
    let middle = before + (end - before) / 2;
    machine.cut(3, |index, change| {
        index == middle
            || index > end && index.is_multiple_of(5)
            || index >= before && *change == Change::Sync
    });
}

#[tokio::test]
async fn no_record_becomes_durable_before_a_barrier_asks_for_it() {
    let _alone = ALONE.lock().await;
    let mut machine = Machine::start().await;
    machine.barrier().await;
    let began = position();
    for number in 0..20 {
        let slice = Slice {
            pos: 0,
            id: SliceId(number + 1),
            size: 10,
            off: 0,
            len: 10,
        };
        run(machine.engine.as_ref(), "write", move |txn| {
            Box::pin(async move {
                txn.append_slices(Ino(5), ChunkIndex(0), &[slice]);
                Ok(())
            })
        })
        .await
        .unwrap();
    }
    // Not even by the end of the process, which drops the engine.
    machine.engine = Arc::new(moorage_engines::MemoryEngine::new());
    let own = |path: &Path| path.starts_with(machine.folder.path());
    let syncs = events(began..position())
        .iter()
        .filter(|e| own(&e.path) && e.change == Change::Sync)
        .count();
    assert_eq!(syncs, 0, "nothing was synced between the barrier and the end");
    let mut disk = Disk::default();
    for event in events(machine.began..position()) {
        disk.happen(&event);
    }
    let target = tempfile::tempdir().unwrap();
    disk.cut_into(machine.folder.path(), target.path(), Unsynced::Lost, &mut Dice(1));
    let left = open(&Machine::url(target.path()), None).unwrap();
    assert!(
        left.scan(&Scan::AllChunks, None, 100)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let target = tempfile::tempdir().unwrap();
    disk.cut_into(machine.folder.path(), target.path(), Unsynced::Kept, &mut Dice(1));
    let left = open(&Machine::url(target.path()), None).unwrap();
    let found = left.scan(&Scan::AllChunks, None, 100).await.unwrap();
    assert_eq!(found.items.len(), 1, "a killed process loses nothing");
}

#[tokio::test]
async fn without_shared_memory_every_commit_is_durable_at_once() {
    let _alone = ALONE.lock().await;
    install();
    let folder = tempfile::tempdir().unwrap();
    deny_shared_memory(folder.path());
    let mut machine = Machine::start_in(folder).await;
    assert_eq!(machine.engine.durability(), Durability::Server);
    for _ in 0..5 {
        machine.commit(5000).await.unwrap();
        machine.promises.push((position(), machine.committed));
    }
    assert!(!machine.log().exists());
    machine.engine.make_durable().await.unwrap();
    machine.cut(4, |_, change| matches!(change, Change::Sync | Change::Delete));
}

#[tokio::test]
async fn a_full_disk_is_reported_and_the_next_commit_works() {
    let _alone = ALONE.lock().await;
    let mut machine = Machine::start().await;
    machine.commit(100).await.unwrap();
    fill_disk(Some(machine.folder.path()));
    let error = machine.commit(100).await.unwrap_err();
    fill_disk(None);
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert!(
        error.to_string().contains("meta.db") && error.advice().is_some(),
        "{error}"
    );
    machine.commit(100).await.unwrap();
    machine.barrier().await;
    assert_eq!(machine.committed, 2);
    let found = machine.engine.scan(&Scan::AllNodes, None, 100).await.unwrap();
    assert_eq!(found.items.len(), 4, "nothing of the failed one is there");
}
