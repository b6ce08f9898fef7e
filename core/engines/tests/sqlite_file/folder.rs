//! A folder with a database, and what tests do with it.

use std::path::PathBuf;
use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, Txn, run};
use moorage_model::{Attr, ChunkIndex, Gid, Ino, NodeType, Result, Setting, Slice, SliceId, Timestamp, Uid};
use rusqlite::{Connection, OpenFlags};

pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("meta.db")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.path().join("meta.db-wal")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite3://{}", self.file().display())
    }

    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        open(&self.url(), None).unwrap()
    }

    pub(crate) async fn prepared(&self) -> Arc<dyn Engine> {
        let engine = self.engine();
        engine.prepare().await.unwrap();
        engine
    }

    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    /// What a reader sees that opens the main file alone.
    pub(crate) fn main_file_only(&self) -> Connection {
        let uri = format!("file:{}?immutable=1", self.file().display());
        Connection::open_with_flags(uri, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
            .unwrap()
    }
}

pub(crate) fn setting() -> Setting {
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

pub(crate) fn count(connection: &Connection, table: &str) -> i64 {
    connection
        .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

pub(crate) fn attr() -> Attr {
    Attr::new(
        NodeType::File,
        0o644,
        Uid(1),
        Gid(1),
        Timestamp::new(1_700_000_000, 0),
        Ino(1),
    )
}

pub(crate) async fn write(
    engine: &dyn Engine,
    writes: impl Fn(&mut dyn Txn) + Send + Sync + 'static,
) -> Result<()> {
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

pub(crate) async fn add_node(engine: &dyn Engine, ino: u64) -> Result<()> {
    write(engine, move |txn| {
        txn.insert(Key::Node(Ino(ino)), Record::Node(attr()));
    })
    .await
}

pub(crate) async fn add_slice(engine: &dyn Engine) {
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
