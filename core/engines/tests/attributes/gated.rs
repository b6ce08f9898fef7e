//! An engine whose answer to a commit can be held back, or that refuses commits, as a bad network does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use tokio::sync::watch;

/// Commits at once and answers when the gate is open.
#[derive(Debug)]
pub(crate) struct GatedEngine {
    inner: Arc<dyn Engine>,
    open: watch::Sender<bool>,
    refusing: AtomicBool,
}

impl GatedEngine {
    pub(crate) fn new(inner: Arc<dyn Engine>) -> GatedEngine {
        GatedEngine {
            inner,
            open: watch::Sender::new(true),
            refusing: AtomicBool::new(false),
        }
    }

    /// Whether every commit fails, and leaves nothing, from now on.
    pub(crate) fn set_refusing(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::SeqCst);
    }

    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

#[async_trait]
impl Read for GatedEngine {
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
impl Engine for GatedEngine {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    async fn prepare(&self) -> Result<()> {
        self.inner.prepare().await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.inner.is_empty().await
    }

    async fn execute(&self, job: Job) -> Result<()> {
        if self.refusing.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the test refuses commits"));
        }
        let committed = self.inner.execute(job).await;
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        committed
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
