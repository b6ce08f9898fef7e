//! The memory engine under the promise of a server: what it acknowledges is durable at once.

use std::sync::Arc;

use async_trait::async_trait;
use moorage_engines::MemoryEngine;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Ino, Name, Result};

#[derive(Debug)]
pub(crate) struct ServerEngine(pub(crate) Arc<MemoryEngine>);

#[async_trait]
impl Read for ServerEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.0.read(keys).await
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.0.survey(range, after, limit).await
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.0.lookup(parent, name).await
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.0.read_directory(directory, after, limit, attributes).await
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.0.parents(ino).await
    }
}

#[async_trait]
impl Engine for ServerEngine {
    fn location(&self) -> String {
        self.0.location()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    async fn prepare(&self) -> Result<()> {
        self.0.prepare().await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.0.is_empty().await
    }

    async fn execute(&self, job: Job) -> Result<()> {
        self.0.execute(job).await
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        self.0.allocate(counter, batch).await
    }

    async fn make_durable(&self) -> Result<()> {
        self.0.make_durable().await
    }

    async fn wipe(&self) -> Result<()> {
        self.0.wipe().await
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}
