//! The database file: what a close leaves, other programs on it, other releases' layouts, and paths that can not
//! be databases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use moorage_engines::{open, open_existing};
use moorage_meta::{Context, Engine, Key, Meta, MetaOptions, Record, Scan, Txn, TxnExt as _, run};
use moorage_model::{
    Attr, ChunkIndex, Counter, Entry, ErrorKind, Gid, Ino, Name, NodeType, Result, Setting, Slice, SliceId,
    SystemClock, Timestamp, Uid,
};
use rusqlite::{Connection, OpenFlags};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("meta.db")
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("meta.db-wal")
    }

    fn url(&self) -> String {
        format!("sqlite3://{}", self.file().display())
    }

    fn engine(&self) -> Arc<dyn Engine> {
        open(&self.url(), None).unwrap()
    }

    async fn prepared(&self) -> Arc<dyn Engine> {
        let engine = self.engine();
        engine.prepare().await.unwrap();
        engine
    }

    fn raw(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    /// What a reader sees that opens the main file alone.
    fn main_file_only(&self) -> Connection {
        let uri = format!("file:{}?immutable=1", self.file().display());
        Connection::open_with_flags(uri, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
            .unwrap()
    }
}

fn setting() -> Setting {
    Setting {
        name: "volume".to_owned(),
        uuid: "faa27c8f-edab-4791-a4e0-1620b732b343".to_owned(),
        storage: "file".to_owned(),
        bucket: "/objects/".to_owned(),
        block_size: 4096,
        trash_days: 1,
        ..Setting::default()
    }
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection
        .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

fn attr() -> Attr {
    Attr::new(
        NodeType::File,
        0o644,
        Uid(1),
        Gid(1),
        Timestamp::new(1_700_000_000, 0),
        Ino(1),
    )
}

async fn write(engine: &dyn Engine, writes: impl Fn(&mut dyn Txn) + Send + Sync + 'static) -> Result<()> {
    let writes = Arc::new(writes);
    run(engine, "write", move |txn| {
        let writes = Arc::clone(&writes);
        Box::pin(async move {
            writes(txn);
            Ok(())
        })
    })
    .await
}

async fn add_node(engine: &dyn Engine, ino: u64) -> Result<()> {
    write(engine, move |txn| {
        txn.insert(Key::Node(Ino(ino)), Record::Node(attr()));
    })
    .await
}

async fn add_slice(engine: &dyn Engine) {
    let slice = Slice {
        pos: 0,
        id: SliceId(1),
        size: 10,
        off: 0,
        len: 10,
    };
    write(engine, move |txn| {
        txn.append_slices(Ino(5), ChunkIndex(0), &[slice]);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn after_a_close_the_file_alone_holds_everything() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    add_node(engine.as_ref(), 5).await.unwrap();
    add_slice(engine.as_ref()).await;
    engine.close().await.unwrap();
    let alone = folder.main_file_only();
    assert_eq!(
        (
            count(&alone, "jfs_node"),
            count(&alone, "jfs_chunk"),
            count(&alone, "jfs_setting")
        ),
        (1, 1, 0)
    );
    assert!(!folder.log().exists(), "the log is gone");
    let error = add_node(engine.as_ref(), 6).await.unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
    let error = engine.read(&[Key::Setting]).await.unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
    engine.close().await.expect("closing twice is harmless");
}

#[tokio::test]
async fn a_formatted_volume_is_in_the_file_when_its_engine_is_merely_dropped() {
    let folder = Folder::new();
    let engine = folder.engine();
    Meta::format(&engine, &setting(), &SystemClock).await.unwrap();
    drop(engine);
    let alone = folder.main_file_only();
    assert_eq!((count(&alone, "jfs_setting"), count(&alone, "jfs_node")), (1, 2));
}

#[tokio::test]
async fn dropping_does_not_make_records_durable_that_name_unsynced_blocks() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    engine.make_durable().await.unwrap();
    add_slice(engine.as_ref()).await;
    drop(engine);
    assert!(
        std::fs::metadata(folder.log()).unwrap().len() > 0,
        "the slice is in the log only"
    );
    let next = folder.engine();
    assert_eq!(
        next.scan(&Scan::AllChunks, None, 9).await.unwrap().items.len(),
        1,
        "and is found there"
    );
    next.make_durable().await.unwrap();
    drop(next);
}

#[tokio::test]
async fn reading_an_absent_file_makes_none() {
    let folder = Folder::new();
    let engine = folder.engine();
    assert_eq!(engine.read(&[Key::Setting]).await.unwrap(), [None]);
    assert!(engine.is_empty().await.unwrap());
    let error = Meta::open(Arc::clone(&engine), MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
    engine.make_durable().await.unwrap();
    engine.close().await.unwrap();
    assert!(!folder.file().exists());
    assert_eq!(
        open_existing(&folder.url(), None).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn an_absent_file_that_another_client_makes_is_seen() {
    let folder = Folder::new();
    let early = folder.engine();
    assert_eq!(early.read(&[Key::Node(Ino(5))]).await.unwrap(), [None]);
    let other = folder.prepared().await;
    add_node(other.as_ref(), 5).await.unwrap();
    assert!(early.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn the_log_stays_bounded_under_writing_and_barriers() {
    const LIMIT: u64 = 32 << 20;
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let mut longest = 0;
    for round in 0..12_u64 {
        for part in 0..10 {
            write(engine.as_ref(), move |txn| {
                for number in 0..16 {
                    let key = Key::Xattr(Ino(round * 1000 + part * 100 + number), b"user.big".to_vec());
                    txn.put(key, Record::Xattr(vec![7; 60_000]));
                }
            })
            .await
            .unwrap();
        }
        engine.make_durable().await.unwrap();
        longest = longest.max(std::fs::metadata(folder.log()).unwrap().len());
    }
    assert!(
        longest > LIMIT,
        "{longest}: enough was written to need a checkpoint"
    );
    assert!(longest < 2 * LIMIT, "the log grew to {longest} bytes");
    write(engine.as_ref(), |txn| {
        txn.insert(Key::Detached(Ino(1)), Record::Detached(0));
    })
    .await
    .unwrap();
    let length = std::fs::metadata(folder.log()).unwrap().len();
    assert!(length <= LIMIT, "the log still has {length} bytes");
}

#[tokio::test]
async fn a_barrier_that_can_not_sync_the_log_fails_by_name_and_can_be_repeated() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let aside = folder.0.path().join("aside");
    std::fs::rename(folder.log(), &aside).unwrap();
    std::fs::create_dir(folder.log()).unwrap();
    let error = engine.make_durable().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("meta.db-wal"), "{error}");
    std::fs::remove_dir(folder.log()).unwrap();
    std::fs::rename(&aside, folder.log()).unwrap();
    engine.make_durable().await.unwrap();
}

#[tokio::test]
async fn a_lock_of_another_program_is_waited_for() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let other = folder.raw();
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO jfs_counter VALUES ('other', 1)")
        .unwrap();
    let (held, release) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        // Long enough to be met, bounded if nobody asks.
        let _ = release.recv_timeout(Duration::from_millis(300));
        other.execute_batch("COMMIT").unwrap();
    });
    let reading = engine.read(&[Key::Counter(Counter::UsedSpace)]).now_or_never();
    assert!(
        reading.is_some_and(|read| read.is_ok()),
        "readers do not wait for it"
    );
    let started = Instant::now();
    add_node(engine.as_ref(), 5).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_millis(100),
        "the lock was there"
    );
    drop(held);
    holder.join().unwrap();
    assert_eq!(count(&folder.raw(), "jfs_counter WHERE name = 'other'"), 1);
}

#[tokio::test]
async fn a_file_left_in_rollback_journal_mode_is_switched_to_a_log() {
    let folder = Folder::new();
    folder.prepared().await.close().await.unwrap();
    let raw = folder.raw();
    let mode: String = raw
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    drop(raw);
    let engine = folder.engine();
    assert_eq!(engine.read(&[Key::Setting]).await.unwrap(), [None]);
    add_node(engine.as_ref(), 5).await.unwrap();
    assert!(folder.log().exists());
    assert!(engine.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn two_clients_see_each_other_and_the_last_one_out_closes_the_log() {
    let folder = Folder::new();
    let (first, second) = (folder.prepared().await, folder.prepared().await);
    add_node(first.as_ref(), 5).await.unwrap();
    add_node(second.as_ref(), 6).await.unwrap();
    let found = first.read(&[Key::Node(Ino(5)), Key::Node(Ino(6))]).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    first.close().await.unwrap();
    assert!(folder.log().exists(), "the other one uses it");
    add_node(second.as_ref(), 7).await.unwrap();
    second.close().await.unwrap();
    assert_eq!(count(&folder.main_file_only(), "jfs_node"), 3);
}

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

#[tokio::test]
async fn prefixed_volumes_share_a_file() {
    let folder = Folder::new();
    let first = folder.prepared().await;
    add_node(first.as_ref(), 5).await.unwrap();
    let second = open(&format!("{}?table_prefix=b&cache=shared", folder.url()), None).unwrap();
    assert!(second.is_empty().await.unwrap(), "tables of others do not count");
    second.prepare().await.unwrap();
    assert_eq!(second.read(&[Key::Node(Ino(5))]).await.unwrap(), [None]);
    add_node(second.as_ref(), 6).await.unwrap();
    second.wipe().await.unwrap();
    assert!(first.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
    assert!(!first.is_empty().await.unwrap());
}

#[tokio::test]
async fn a_database_of_another_program_is_not_taken_for_an_empty_one() {
    let folder = Folder::new();
    folder
        .raw()
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .unwrap();
    let engine = folder.engine();
    assert!(!engine.is_empty().await.unwrap());
    let error = Meta::format(&engine, &setting(), &SystemClock).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    assert!(error.advice().is_some(), "{error}");
    let error = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_by_name_and_kept() {
    let folder = Folder::new();
    let text = "This is a letter, not a database.".repeat(100);
    std::fs::write(folder.file(), &text).unwrap();
    let engine = folder.engine();
    for error in [
        engine.read(&[Key::Setting]).await.unwrap_err(),
        engine.prepare().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
        assert!(
            error.to_string().contains("meta.db") && error.advice().is_some(),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_reported_as_damage() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    for ino in 2..200 {
        add_node(engine.as_ref(), ino).await.unwrap();
    }
    engine.close().await.unwrap();
    let mut bytes = std::fs::read(folder.file()).unwrap();
    // Everything behind the schema's page.
    bytes[4096..].fill(0xA5);
    std::fs::write(folder.file(), bytes).unwrap();
    let error = folder.engine().read(&[Key::Node(Ino(5))]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(
        error.to_string().contains("meta.db") && error.advice().is_some(),
        "{error}"
    );
}

#[test]
fn impossible_paths_and_urls_say_what_is_wrong() {
    let folder = Folder::new();
    let cases = [
        (
            format!("sqlite3://{}/none/meta.db", folder.0.path().display()),
            ErrorKind::NotFound,
            "none",
        ),
        (
            format!("sqlite3://{}", folder.0.path().display()),
            ErrorKind::IsDirectory,
            "is a folder",
        ),
        (
            "sqlite3://".to_owned(),
            ErrorKind::InvalidArgument,
            "names no file",
        ),
        (
            "/srv/meta.db".to_owned(),
            ErrorKind::InvalidArgument,
            "no metadata URL",
        ),
        (
            "oracle://host/db".to_owned(),
            ErrorKind::InvalidArgument,
            "known are sqlite3",
        ),
        (
            "redis://:secret@host/1".to_owned(),
            ErrorKind::NotSupported,
            "not built yet",
        ),
        (
            "mysql://me:secret@(host:3306)/db".to_owned(),
            ErrorKind::NotSupported,
            "not built yet",
        ),
        (
            "postgres://me:secret@host/db".to_owned(),
            ErrorKind::NotSupported,
            "not built yet",
        ),
        (
            "tikv://host:2379/p".to_owned(),
            ErrorKind::NotSupported,
            "not built yet",
        ),
    ];
    for (url, kind, named) in cases {
        let error = open(&url, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        let text = error.to_string();
        assert!(text.contains(named) && !text.contains("secret"), "{url}: {text}");
        assert!(error.advice().is_some(), "{url}: {text}");
    }
}

type Waiting = Vec<futures_util::future::BoxFuture<'static, Result<()>>>;

/// Queues jobs behind one that runs: they share the next transactions.
async fn queue_behind_a_job(engine: &Arc<dyn Engine>, jobs: Waiting) -> Waiting {
    let queued = Arc::new(parking_lot::Mutex::new(jobs));
    let started = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let (running, pending) = (Arc::clone(&queued), Arc::clone(&started));
    run(engine.as_ref(), "holds the writer", move |_| {
        let (running, pending) = (Arc::clone(&running), Arc::clone(&pending));
        Box::pin(async move {
            let waker = futures_util::task::noop_waker();
            let mut context = std::task::Context::from_waker(&waker);
            for mut job in running.lock().drain(..) {
                assert!(
                    job.as_mut().poll(&mut context).is_pending(),
                    "the writer is taken"
                );
                pending.lock().push(job);
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    std::mem::take(&mut *started.lock())
}

async fn in_one_group(engine: &Arc<dyn Engine>, jobs: Waiting) -> Vec<Result<()>> {
    futures_util::future::join_all(queue_behind_a_job(engine, jobs).await).await
}

#[tokio::test]
async fn a_failing_job_of_a_group_is_rolled_back_alone() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let job = |number: u64| {
        let engine = Arc::clone(&engine);
        async move {
            run(engine.as_ref(), "job", move |txn| {
                Box::pin(async move {
                    // What the earlier jobs of the group counted is seen.
                    let counted = txn
                        .get_locked(&[Key::Counter(Counter::TotalInodes)])
                        .await?
                        .counter()?;
                    assert_eq!(counted.unwrap_or(0), i64::try_from(number.div_ceil(2)).unwrap());
                    txn.insert(Key::Node(Ino(100 + number)), Record::Node(attr()));
                    txn.add_counter(Counter::TotalInodes, 1);
                    if number % 2 == 1 {
                        return Err(ErrorKind::NotEmpty.into());
                    }
                    Ok(())
                })
            })
            .await
        }
        .boxed()
    };
    let results = in_one_group(&engine, (0..10).map(job).collect()).await;
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(()) => assert_eq!(number % 2, 0),
            Err(error) => assert_eq!((number % 2, error.kind()), (1, ErrorKind::NotEmpty)),
        }
    }
    let found = engine.scan(&Scan::AllNodes, None, 100).await.unwrap();
    let numbers: Vec<String> = found.items.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(numbers.len(), 5, "{numbers:?}");
    let counted = engine
        .get(&[Key::Counter(Counter::TotalInodes)])
        .await
        .unwrap()
        .counter()
        .unwrap();
    assert_eq!(counted, Some(5));
}

/// More jobs than one caller runs in its turn.
const LONG_QUEUE: u64 = 3000;

fn numbered(engine: &Arc<dyn Engine>, number: u64) -> futures_util::future::BoxFuture<'static, Result<()>> {
    let engine = Arc::clone(engine);
    async move { add_node(engine.as_ref(), 10_000 + number).await }.boxed()
}

#[tokio::test]
async fn a_long_queue_is_handed_over_to_those_who_wait() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let jobs = (0..LONG_QUEUE).map(|number| numbered(&engine, number)).collect();
    for result in in_one_group(&engine, jobs).await {
        result.unwrap();
    }
    let raw = folder.raw();
    assert_eq!(count(&raw, "jfs_node"), i64::try_from(LONG_QUEUE).unwrap());
}

#[tokio::test]
async fn a_waiter_that_goes_away_with_the_turn_passes_it_on() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let waiting = queue_behind_a_job(
        &engine,
        (0..LONG_QUEUE).map(|number| numbered(&engine, number)).collect(),
    )
    .await;
    // One of them was given the turn and is dropped before it notices, as are most of the others.
    let mut kept = waiting;
    let dropped = kept.drain(..kept.len() - 10).count();
    assert!(dropped > 2000);
    let finished = tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(kept)).await;
    for result in finished.unwrap() {
        result.unwrap();
    }
    add_node(engine.as_ref(), 5).await.unwrap();
}

#[tokio::test]
async fn a_body_that_panics_harms_nobody_after_it() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let panicking = Arc::clone(&engine);
    let task = tokio::spawn(async move {
        run::<(), _>(panicking.as_ref(), "panic", |txn| {
            Box::pin(async move {
                txn.insert(Key::Node(Ino(5)), Record::Node(attr()));
                assert!(txn.lock_node(Ino(5)).await?.is_none(), "a bug in a verb");
                Ok(())
            })
        })
        .await
    });
    assert!(task.await.unwrap_err().is_panic());
    add_node(engine.as_ref(), 6).await.unwrap();
    let found = engine
        .read(&[Key::Node(Ino(5)), Key::Node(Ino(6))])
        .await
        .unwrap();
    assert_eq!((found[0].is_some(), found[1].is_some()), (false, true));
}
