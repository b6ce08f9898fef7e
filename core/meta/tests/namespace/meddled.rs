//! The memory engine with somebody who acts at a moment of the test's choice.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moorage_engines::MemoryEngine;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Meta, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Ino, Name, Result};
use parking_lot::Mutex;

use crate::fixture::{Volume, quiet};

/// A client whose engine lets somebody act right after a directory was listed.
pub(crate) async fn meddled(volume: &Volume) -> (Arc<Meta>, Arc<Meddled>) {
    let engine = Arc::new(Meddled::new(Arc::clone(&volume.engine)));
    let mount = Meta::open(engine.clone(), quiet(), volume.clock.clone()).await;
    (mount.unwrap(), engine)
}

/// The memory engine with somebody who acts right after a directory was listed.
pub(crate) struct Meddled {
    inner: Arc<MemoryEngine>,
    act: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Meddled {
    fn new(inner: Arc<MemoryEngine>) -> Meddled {
        let act = Mutex::new(None);
        Meddled { inner, act }
    }

    pub(crate) fn after_listing(&self, act: BoxFuture<'static, ()>) {
        *self.act.lock() = Some(act);
    }
}

impl std::fmt::Debug for Meddled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meddled").finish_non_exhaustive()
    }
}

#[async_trait]
impl Read for Meddled {
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
        let listed = self
            .inner
            .read_directory(directory, after, limit, attributes)
            .await;
        let act = self.act.lock().take();
        if let Some(act) = act {
            act.await;
        }
        listed
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.inner.parents(ino).await
    }
}

#[async_trait]
impl Engine for Meddled {
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
