//! How many statements SQLite runs per call of the engine and per verb of the namespace.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_meta::{
    Context, Counting, Engine, Key, Meta, MetaOptions, QuotaLimits, Record, RenameFlags, SetAttr,
    UnlinkOptions, XattrMode, run,
};
use moorage_model::{
    Attr, ChunkIndex, Counter, DirStat, Entry, Gid, Ino, Name, NodeType, QuotaKey, Setting, Slice,
    SystemClock, Timestamp, Uid,
};
use parking_lot::Mutex;
use rusqlite::ffi;

/// Statements that SQLite began, of every connection of this process.
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The list is one, so the tests take turns.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Lets SQLite call [`note_statement`] on the connection that was opened just now.
unsafe extern "C" fn trace_connection(
    connection: *mut ffi::sqlite3,
    _message: *mut *mut c_char,
    _routines: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: the connection is open, and the callback has the type that SQLITE_TRACE_STMT asks for.
    unsafe {
        let event = c_uint::try_from(ffi::SQLITE_TRACE_STMT).unwrap_or(1);
        ffi::sqlite3_trace_v2(connection, event, Some(note_statement), std::ptr::null_mut())
    }
}

unsafe extern "C" fn note_statement(_: c_uint, _: *mut c_void, _: *mut c_void, text: *mut c_void) -> c_int {
    // SAFETY: for this event the last argument is the text of the statement.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    STATEMENTS.lock().push(text.to_string_lossy().into_owned());
    0
}

struct Counted {
    folder: tempfile::TempDir,
    engine: Arc<dyn Engine>,
}

impl Counted {
    async fn new() -> Counted {
        // SAFETY: the callback only sets a trace function; it opens and closes nothing.
        unsafe { rusqlite::auto_extension::register_auto_extension(trace_connection).unwrap() };
        let folder = tempfile::tempdir().unwrap();
        let engine = open(
            &format!("sqlite3://{}", folder.path().join("meta.db").display()),
            None,
        )
        .unwrap();
        engine.prepare().await.unwrap();
        // Opens a read connection: short reads take the one of the writer while it is free.
        engine.read_directory(Ino(1), None, 1, false).await.unwrap();
        Counted { folder, engine }
    }

    /// A volume in it, and its client.
    async fn volume(&self) -> Arc<Meta> {
        let setting = Setting {
            name: "counted".to_owned(),
            uuid: "faa27c8f-edab-4791-a4e0-1620b732b343".to_owned(),
            storage: "file".to_owned(),
            bucket: "/objects/".to_owned(),
            block_size: 4096,
            dir_stats: true,
            ..Setting::default()
        };
        Meta::format(&self.engine, &setting, &SystemClock).await.unwrap();
        let options = MetaOptions::default();
        Meta::open(Arc::clone(&self.engine), options, Arc::new(SystemClock))
            .await
            .unwrap()
    }
}

/// What SQLite ran for this future.
async fn statements<T>(work: impl Future<Output = moorage_model::Result<T>>) -> Vec<String> {
    STATEMENTS.lock().clear();
    work.await.unwrap();
    std::mem::take(&mut *STATEMENTS.lock())
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn reads_of_the_engine_cost_one_statement_per_record_or_page() {
    let _alone = ALONE.lock().await;
    let counted = Counted::new().await;
    let engine = counted.engine.as_ref();
    let keys = [Key::Node(Ino(1)), Key::Node(Ino(2)), Key::Symlink(Ino(3))];
    assert_eq!(statements(engine.read(&keys)).await.len(), 3);
    assert_eq!(statements(engine.lookup(Ino(1), &name("a"))).await.len(), 1);
    for attributes in [false, true] {
        assert_eq!(
            statements(engine.read_directory(Ino(1), None, 100, attributes))
                .await
                .len(),
            1
        );
    }
    assert_eq!(statements(engine.parents(Ino(5))).await.len(), 1);
    assert_eq!(
        statements(engine.scan(&moorage_meta::Scan::AllNodes, None, 100))
            .await
            .len(),
        1
    );
    assert_eq!(
        statements(engine.scan(&moorage_meta::Scan::Quotas, None, 100))
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_lone_job_costs_begin_its_statements_its_sums_and_commit() {
    let _alone = ALONE.lock().await;
    let counted = Counted::new().await;
    let create = run(counted.engine.as_ref(), "create", |txn| {
        Box::pin(async move {
            let edge = Key::Edge(Ino(1), name("a"));
            txn.lock(&[Key::Node(Ino(1)), edge.clone()]).await?;
            let kind = NodeType::File;
            txn.insert(edge, Record::Edge(Entry { kind, ino: Ino(5) }));
            let attr = Attr::new(kind, 0o644, Uid(1), Gid(1), Timestamp::new(1, 0), Ino(1));
            txn.insert(Key::Node(Ino(5)), Record::Node(attr));
            let delta = DirStat {
                length: 0,
                space: 4096,
                inodes: 1,
            };
            txn.add_dir_stat(Ino(1), delta);
            txn.add_counter(Counter::UsedSpace, 4096);
            txn.add_counter(Counter::TotalInodes, 1);
            Ok(())
        })
    });
    let ran = statements(create).await;
    // BEGIN; read node, read entry; insert entry, insert node; three sums; COMMIT.
    assert_eq!(ran.len(), 9, "{ran:#?}");
}

#[tokio::test]
async fn verbs_stay_within_their_statements() {
    let _alone = ALONE.lock().await;
    let counted = Counted::new().await;
    let meta = counted.volume().await;
    let root = Context::root();
    let (d, f) = (name("d"), name("f"));
    // The first use takes a batch of inode numbers, the first change of a parent its times.
    meta.mkdir(&root, Ino::ROOT, &name("first"), 0o755, 0)
        .await
        .unwrap();
    let slice = Slice {
        pos: 0,
        id: meta.allocate_slice().await.unwrap(),
        size: 4096,
        off: 0,
        len: 4096,
    };
    let now = Timestamp::new(1_700_000_000, 0);
    let gone = UnlinkOptions { skip_trash: true };
    let plain = RenameFlags::default();
    let chmod = SetAttr {
        mode: Some(0o600),
        ..SetAttr::default()
    };
    let mut ran: Vec<(&str, usize, Vec<String>)> = Vec::new();
    ran.push((
        "mkdir",
        11,
        statements(meta.mkdir(&root, Ino::ROOT, &d, 0o755, 0)).await,
    ));
    ran.push((
        "create",
        9,
        statements(meta.create(&root, Ino::ROOT, &f, 0o644, 0)).await,
    ));
    ran.push((
        "symlink",
        10,
        statements(meta.symlink(&root, Ino::ROOT, &name("s"), b"f")).await,
    ));
    ran.push(("lookup", 1, statements(meta.lookup(&root, Ino::ROOT, &f)).await));
    let (ino, _) = meta.lookup(&root, Ino::ROOT, &f).await.unwrap();
    let (directory, _) = meta.lookup(&root, Ino::ROOT, &d).await.unwrap();
    ran.push(("getattr", 1, statements(meta.getattr(ino)).await));
    ran.push((
        "readdir",
        1,
        statements(meta.read_directory(&root, Ino::ROOT, None, 100, true)).await,
    ));
    ran.push((
        "write",
        9,
        statements(meta.write_slice(ino, ChunkIndex(0), slice, now)).await,
    ));
    ran.push(("read", 1, statements(meta.read_slices(ino, ChunkIndex(0))).await));
    ran.push(("truncate", 7, statements(meta.truncate(&root, ino, 100)).await));
    ran.push(("setattr", 4, statements(meta.setattr(&root, ino, chmod)).await));
    let set = meta.set_xattr(&root, ino, b"user.a", b"v", XattrMode::Any);
    ran.push(("setxattr", 5, statements(set).await));
    ran.push((
        "getxattr",
        1,
        statements(meta.get_xattr(&root, ino, b"user.a")).await,
    ));
    ran.push((
        "link",
        8,
        statements(meta.link(&root, ino, Ino::ROOT, &name("h"))).await,
    ));
    let (from, to) = (name("s"), name("t"));
    let renamed = meta.rename(&root, (Ino::ROOT, &from), (directory, &to), plain);
    ran.push(("rename", 12, statements(renamed).await));
    ran.push((
        "unlink",
        7,
        statements(meta.unlink(&root, Ino::ROOT, &name("h"), gone)).await,
    ));
    ran.push((
        "unlink last",
        11,
        statements(meta.unlink(&root, directory, &to, gone)).await,
    ));
    ran.push((
        "rmdir",
        14,
        statements(meta.rmdir(&root, Ino::ROOT, &d, gone)).await,
    ));
    for (verb, most, ran) in ran {
        println!("{verb}: {}", ran.len());
        assert!(
            ran.len() <= most,
            "{verb} ran {} statements, at most {most} expected: {ran:#?}",
            ran.len()
        );
    }
}

#[tokio::test]
async fn a_record_is_read_once_until_another_program_changes_the_database() {
    let _alone = ALONE.lock().await;
    let counted = Counted::new().await;
    let meta = counted.volume().await;
    let root = Context::root();
    let made = meta.create(&root, Ino::ROOT, &name("f"), 0o644, 0).await.unwrap();
    let chmod = SetAttr {
        mode: Some(0o600),
        ..SetAttr::default()
    };
    assert_eq!(
        statements(meta.getattr(made.ino)).await.len(),
        0,
        "it was written here"
    );
    // BEGIN; put node; COMMIT.
    assert_eq!(statements(meta.setattr(&root, made.ino, chmod)).await.len(), 3);
    assert_eq!(statements(meta.getattr(made.ino)).await.len(), 0);

    let other = rusqlite::Connection::open(counted.folder.path().join("meta.db")).unwrap();
    other.execute("UPDATE jfs_node SET mode = 0", []).unwrap();
    assert_eq!(statements(meta.getattr(made.ino)).await.len(), 1);
    assert_eq!(statements(meta.getattr(made.ino)).await.len(), 0);
    for (name, found) in [(name("f"), true), (name("absent"), false)] {
        let look_up = || async { Ok(meta.lookup(&root, Ino::ROOT, &name).await.is_ok()) };
        assert_eq!(statements(look_up()).await.len(), 1);
        assert_eq!(
            statements(look_up()).await.len(),
            0,
            "a free name is remembered too"
        );
        assert_eq!(look_up().await.unwrap(), found);
    }
    assert_eq!(meta.getattr(made.ino).await.unwrap().mode, 0);
}

/// Directories below each other in `parent`, each with these many files; answers with the top one's name.
async fn nest(meta: &Meta, parent: Ino, top: &str, depth: usize, files: usize) -> Name {
    let root = Context::root();
    let mut directory = parent;
    for _ in 0..depth {
        let made = meta.mkdir(&root, directory, &name(top), 0o755, 0).await;
        directory = made.unwrap().ino;
        for file in 0..files {
            let file = name(&format!("file{file}"));
            meta.create(&root, directory, &file, 0o644, 0).await.unwrap();
        }
    }
    name(top)
}

#[tokio::test]
async fn removing_a_tree_below_a_quota_costs_the_same_at_every_depth() {
    let _alone = ALONE.lock().await;
    let counted = Counted::new().await;
    let meta = counted.volume().await;
    let limited = meta
        .mkdir(&Context::root(), Ino::ROOT, &name("limited"), 0o755, 0)
        .await;
    let limited = limited.unwrap().ino;
    let mut costs = Vec::new();
    for depth in [100, 400] {
        let top = nest(&meta, limited, "deep", depth, 3).await;
        let key = QuotaKey::Directory(limited);
        let limits = QuotaLimits {
            max_space: None,
            max_inodes: Some(1 << 20),
        };
        meta.set_quota(key, limits, Counting::Statistics).await.unwrap();
        let options = RemoveTreeOptions {
            skip_trash: true,
            concurrency: 1,
        };
        let progress = Progress::default();
        let root = Context::root();
        let ran = statements(meta.remove_tree(&root, limited, &top, options, &progress)).await;
        costs.push(ran.len() / depth);
        let quota = meta.get_quota(key).await.unwrap().unwrap();
        assert_eq!((quota.used_space, quota.used_inodes), (0, 0));
        meta.delete_quota(key).await.unwrap();
    }
    println!("statements per directory of three files: {costs:?}");
    let most = costs.iter().min().unwrap() + 1;
    assert!(
        costs.iter().all(|cost| *cost <= most),
        "statements per directory: {costs:?}"
    );
}
