//! SQLite: one file in WAL mode, one writer with group commit, readers on their own connections.

mod database;
mod failure;
mod group;
mod log;
mod log_file;
mod log_index;
mod options;
mod presence;
mod readers;
mod record_cache;
mod reserve;
mod schema;
mod statements;
mod sums;
mod txn;
mod view;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey, Verb, run};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use rusqlite::config::DbConfig;

use failure::{Context as _, in_file, named_in};
use log::Log;
use options::SqliteOptions;
use readers::Readers;
use record_cache::{Look, RecordCache};
use view::View;
use writer::Writer;

/// Most records of a read that may keep the writer waiting: as long as a small transaction.
const SHORT_READ: usize = 8;

/// The SQLite engine. Nothing is opened before it is needed, and only a change makes the file.
///
/// Statements per call, counted by `tests/statements.rs`: a read of n keys n, a lookup, a page of a range or of a
/// directory 1. A job BEGIN, its statements, one per counter, directory and quota that it changes relatively,
/// COMMIT; in a group SAVEPOINT and RELEASE more, while BEGIN, COMMIT and the relative changes are shared.
#[derive(Debug)]
pub(crate) struct SqliteEngine {
    options: Arc<SqliteOptions>,
    readers: Readers,
    writer: Arc<Writer>,
    records: Arc<RecordCache>,
    log: Arc<Log>,
}

impl SqliteEngine {
    /// For the database that the rest of a `sqlite3://` URL names.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed rest, `DatabaseMissing` when the folder of the file does not exist, `AccessDenied`
    /// when this user may not look there, `IsDirectory` when the path is one.
    pub(crate) fn open(rest: &str) -> Result<SqliteEngine> {
        let options = Arc::new(SqliteOptions::parse(rest)?);
        options.check()?;
        let records = Arc::new(RecordCache::new());
        Ok(SqliteEngine {
            readers: Readers::new(Arc::clone(&options)),
            writer: Arc::new(Writer::new(Arc::clone(&options), Arc::clone(&records))),
            records,
            log: Arc::new(Log::new(Arc::clone(&options))),
            options,
        })
    }

    /// A short read of committed records.
    fn view<T>(&self, read: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        match self.writer.view_if_free(read) {
            Ok(result) => result,
            Err(read) => self.readers.view(read),
        }
    }

    /// Attributes of a node: from memory while nobody has changed the database since they were read, else one statement.
    fn node(&self, ino: Ino) -> Result<Option<Attr>> {
        let state = match self.records.node(ino) {
            Look::Known(attr) => return Ok(Some(attr)),
            Look::Unknown(state) => state,
        };
        let found = self.view(|view| view.node(ino))?;
        if let Some(attr) = &found {
            self.records.remember_node(state, ino, attr);
        }
        Ok(found)
    }

    /// Closes every connection. When `checkpoint` and no other program has the file open, the last one moves the
    /// log into the database file, syncs it and removes the log.
    fn shut_down(&self, checkpoint: bool) -> Result<()> {
        self.readers.close();
        let Some(database) = self.writer.close() else {
            return Ok(());
        };
        let what = || "closing it".to_owned();
        database
            .connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !checkpoint)
            .context(what)
            .and_then(|_| {
                database
                    .connection
                    .close()
                    .map_err(|(_, error)| error)
                    .context(what)
            })
            .map_err(in_file(&self.options.path))
    }
}

/// Refuses the rest of a URL whose file does not exist.
///
/// # Errors
/// `DatabaseMissing`, and those of [`SqliteEngine::open`].
pub(crate) fn check_exists(rest: &str) -> Result<()> {
    let options = SqliteOptions::parse(rest)?;
    if options.check()? {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::DatabaseMissing,
        format!("there is no SQLite database {}", options.path.display()),
    )
    .with_advice("Correct the path in the metadata URL, or make a volume with `moorage format`."))
}

fn closed(path: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("SQLite database {} was closed", path.display()),
    )
}

#[async_trait]
impl Read for SqliteEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        if let [Key::Node(ino)] = keys {
            return Ok(vec![self.node(*ino)?.map(Record::Node)]);
        }
        let read = |view: View<'_>| keys.iter().map(|key| view.get(key)).collect();
        if keys.len() <= SHORT_READ {
            self.view(read)
        } else {
            self.readers.view(read)
        }
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let page = self.readers.view(|view| view.survey(range, after, limit))?;
        Ok(named_in(page, &self.options.path))
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let state = match self.records.child(parent, name) {
            Look::Known(child) => return Ok(child),
            Look::Unknown(state) => state,
        };
        let found = self.view(|view| view.lookup(parent, name))?;
        self.records.remember_child(state, parent, name, found.as_ref());
        Ok(found)
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.readers
            .view(|view| view.directory(directory, after, limit, attributes))
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.readers.view(|view| view.parents(ino))
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn location(&self) -> String {
        format!("sqlite3://{}", self.options.path.display())
    }

    /// A file that can not have a log (a network file system without shared memory) is synced by every commit, as
    /// a server would.
    fn durability(&self) -> Durability {
        if self.writer.is_logged() {
            Durability::AfterBarrier
        } else {
            Durability::Server
        }
    }

    async fn prepare(&self) -> Result<()> {
        let changed = self.writer.with(|database| {
            let changed = schema::prepare(&database.connection, &self.options.prefix)?;
            if changed {
                database.refresh(&self.options)?;
            }
            Ok(changed)
        })?;
        if changed {
            self.readers.reopen();
        }
        Ok(())
    }

    async fn missing_structures(&self) -> Result<Vec<String>> {
        self.readers
            .view(|view| schema::missing_tables(view.connection, &self.options.prefix))
    }

    async fn is_empty(&self) -> Result<bool> {
        let own_prefix = self.options.has_own_prefix();
        self.readers
            .view(|view| schema::is_empty(view.connection, &self.options.prefix, own_prefix))
    }

    async fn execute(&self, job: Job) -> Result<()> {
        self.writer.execute(job).await
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let stored = run(self, Verb::removal("allocate"), move |txn| {
            Box::pin(async move {
                let mut found = txn.get_locked(&[Key::Counter(counter)]).await?;
                let value = found.counter()?.unwrap_or(counter.initial());
                txn.add_counter(counter, delta);
                Ok(value)
            })
        })
        .await?;
        // Next-free counters hold the first id that is free, the others the last one used (spec 20-model section 2).
        Ok(stored.cast_unsigned() + u64::from(!counter.is_next_free()))
    }

    async fn make_durable(&self) -> Result<()> {
        self.log.sync(&self.writer).await
    }

    async fn wipe(&self) -> Result<()> {
        self.writer.with(|database| {
            schema::wipe(&database.connection, &self.options.prefix)?;
            database.refresh(&self.options)
        })?;
        self.readers.reopen();
        Ok(())
    }

    /// A barrier; afterwards the database file alone holds everything, unless another program has it open too.
    async fn close(&self) -> Result<()> {
        self.log.sync(&self.writer).await?;
        self.shut_down(true)
    }
}

impl Drop for SqliteEngine {
    /// Without [`Engine::close`] the log is moved into the database file only when it names no blocks that may not
    /// be durable yet (DESIGN, "Durability"); otherwise the next client finds it beside the file.
    fn drop(&mut self) {
        let checkpoint = !self.writer.take_names_data();
        if let Err(error) = self.shut_down(checkpoint) {
            tracing::warn!(%error, "closing the metadata database");
        }
    }
}
