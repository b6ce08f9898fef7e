//! SQLite: one file in WAL mode, one writer with group commit, readers on their own connections.

mod durable;
mod failure;
mod layout;
mod options;
mod read;
mod scan;
mod schema;
mod txn;
mod writer;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Page, Read, Record, Scan, run};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;
use rusqlite::Connection;

use durable::LogSync;
use layout::Statements;
use options::SqliteOptions;
use read::View;
use writer::Writer;

/// Read connections: one per core would do for the FUSE threads, some more for background jobs.
const READERS: usize = 8;

/// The SQLite engine.
#[derive(Debug)]
pub(crate) struct SqliteEngine {
    path: PathBuf,
    sql: Statements,
    readers: Vec<Mutex<Connection>>,
    writer: Writer,
    log: LogSync,
}

impl SqliteEngine {
    /// Opens the database that the rest of a `sqlite3://` URL names, making the file when absent.
    pub(crate) fn open(rest: &str) -> Result<SqliteEngine> {
        let options = SqliteOptions::parse(rest)?;
        let path = options.path.clone();
        check_folder(&path)?;
        let named = |error: Error| error.context(format!("SQLite database {}", path.display()));
        let writer = options.connect().map_err(named)?;
        let present = schema::node_columns(&writer, &options.prefix).map_err(named)?;
        let readers = (0..READERS)
            .map(|_| options.connect().map(Mutex::new))
            .collect::<Result<Vec<_>>>()
            .map_err(named)?;
        let log = LogSync::new(&path);
        Ok(SqliteEngine {
            sql: Statements::new(&options.prefix, &present),
            readers,
            writer: Writer::new(writer, path.clone()),
            log,
            path,
        })
    }

    /// Reads on the calling thread with whichever connection is free: readers never wait for the writer.
    fn view<T>(&self, read: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        let free = self.readers.iter().find_map(Mutex::try_lock);
        let connection = match free {
            Some(connection) => connection,
            None => match self.readers.first() {
                Some(first) => first.lock(),
                None => {
                    return Err(Error::new(
                        ErrorKind::Io,
                        "the SQLite engine has no read connection",
                    ));
                }
            },
        };
        read(View {
            connection: &connection,
            sql: &self.sql,
        })
        .map_err(|error| error.context(format!("SQLite database {}", self.path.display())))
    }
}

/// Refuses a URL whose file does not exist.
pub(crate) fn check_file(rest: &str) -> Result<()> {
    let path = SqliteOptions::parse(rest)?.path;
    if path.exists() {
        return Ok(());
    }
    check_folder(&path)?;
    Err(Error::new(
        ErrorKind::NotFound,
        format!("there is no SQLite database {}", path.display()),
    )
    .with_advice("Correct the path in the metadata URL, or make a volume with `moorage format`."))
}

fn check_folder(path: &Path) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!(
            "SQLite database {}: the folder {} does not exist",
            path.display(),
            folder.display()
        ),
    )
    .with_advice("Create the folder, or correct the path in the metadata URL."))
}

#[async_trait]
impl Read for SqliteEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.view(|view| keys.iter().map(|key| view.get(key)).collect())
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        self.view(|view| view.scan(range, after, limit))
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.view(|view| view.lookup(parent, name))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.view(|view| view.directory(directory, after, limit, attributes))
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.view(|view| view.parents(ino))
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn location(&self) -> String {
        format!("sqlite3://{}", self.path.display())
    }

    fn durability(&self) -> Durability {
        Durability::AfterBarrier
    }

    async fn prepare(&self) -> Result<()> {
        self.writer
            .with(|connection| schema::prepare(connection, &self.sql.prefix))
    }

    async fn is_empty(&self) -> Result<bool> {
        self.writer.with(schema::tables).map(|tables| tables.is_empty())
    }

    async fn execute(&self, job: Job) -> Result<()> {
        self.writer.execute(job, &self.sql).await
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let next_free = matches!(counter, Counter::NextInode | Counter::NextChunk);
        let initial = match counter {
            Counter::NextInode => 2,
            Counter::NextChunk => 1,
            _ => 0,
        };
        let stored = run(self, "allocate", move |txn| {
            Box::pin(async move {
                let mut found = txn.get_locked(&[Key::Counter(counter)]).await?;
                let value = found.counter()?.unwrap_or(initial);
                txn.add_counter(counter, delta);
                Ok(value)
            })
        })
        .await?;
        // Next-free counters hold the first id that is free, the others the last one used (spec 20-model section 2).
        Ok(stored.cast_unsigned() + u64::from(!next_free))
    }

    async fn make_durable(&self) -> Result<()> {
        self.log.sync(&self.writer).await
    }

    async fn wipe(&self) -> Result<()> {
        let prefix = &self.sql.prefix;
        let script: String = schema::table_names()
            .map(|table| format!("DROP TABLE IF EXISTS `{prefix}{table}`;"))
            .collect();
        self.writer.with(|connection| {
            failure::Context::context(
                connection.execute_batch(&format!("BEGIN IMMEDIATE; {script} COMMIT;")),
                || format!("removing the volume from {}", self.path.display()),
            )
        })
    }

    async fn close(&self) -> Result<()> {
        self.log.sync(&self.writer).await?;
        self.writer.with(|connection| {
            failure::Context::context(
                connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE); PRAGMA optimize;"),
                || format!("closing {}", self.path.display()),
            )
        })
    }
}
