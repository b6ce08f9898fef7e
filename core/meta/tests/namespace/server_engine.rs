//! The memory engine as a server: what it acknowledges is durable at once, and a commit can be on its way for long.

use std::sync::Arc;

use async_trait::async_trait;
use moorage_engines::MemoryEngine;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;

#[derive(Debug)]
pub(crate) struct ServerEngine {
    inner: Arc<MemoryEngine>,
    delayed: Mutex<Option<&'static str>>,
    on_their_way: Mutex<Vec<Job>>,
}

impl ServerEngine {
    pub(crate) fn new(inner: Arc<MemoryEngine>) -> ServerEngine {
        ServerEngine {
            inner,
            delayed: Mutex::default(),
            on_their_way: Mutex::default(),
        }
    }

    /// From now on the commits of a verb get no answer, and stay on their way.
    pub(crate) fn delay(&self, verb: &'static str) {
        *self.delayed.lock() = Some(verb);
    }

    /// What is on its way arrives.
    pub(crate) async fn arrive(&self) {
        let jobs = std::mem::take(&mut *self.on_their_way.lock());
        for job in jobs {
            self.inner.execute(job).await.unwrap();
        }
    }
}

#[async_trait]
impl Read for ServerEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.read(keys).await
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.inner.survey(range, after, limit).await
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.inner.lookup(parent, name).await
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.inner
            .read_directory(directory, after, limit, attributes)
            .await
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.inner.parents(ino).await
    }
}

#[async_trait]
impl Engine for ServerEngine {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    async fn prepare(&self) -> Result<()> {
        self.inner.prepare().await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.inner.is_empty().await
    }

    async fn execute(&self, job: Job) -> Result<()> {
        if *self.delayed.lock() == Some(job.verb) {
            self.on_their_way.lock().push(job);
            return Err(Error::new(ErrorKind::Unavailable, "the connection broke"));
        }
        self.inner.execute(job).await
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        self.inner.allocate(counter, batch).await
    }

    async fn make_durable(&self) -> Result<()> {
        self.inner.make_durable().await
    }

    async fn wipe(&self) -> Result<()> {
        self.inner.wipe().await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
