//! The memory engine with what a server and its other clients do: a commit can be on its way for long, and somebody can
//! act at a moment of the test's choice.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moorage_engines::MemoryEngine;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Meta, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::fixture::{Volume, quiet};

/// A client whose engine lets somebody act right after a directory was listed, or before a commit.
pub(crate) async fn meddled(volume: &Volume) -> (Arc<Meta>, Arc<ServerEngine>) {
    let inner = Arc::clone(&volume.engine);
    let engine = Arc::new(ServerEngine {
        durability: inner.durability(),
        ..ServerEngine::new(inner)
    });
    let mount = Meta::open(engine.clone(), quiet(), volume.clock.clone()).await;
    (mount.unwrap(), engine)
}

pub(crate) struct ServerEngine {
    inner: Arc<MemoryEngine>,
    durability: Durability,
    delayed: Mutex<Option<&'static str>>,
    on_their_way: Mutex<Vec<Job>>,
    act: Mutex<Option<BoxFuture<'static, ()>>>,
    act_on_scan: Mutex<Option<(Scan, BoxFuture<'static, ()>)>>,
    act_on_allocation: Mutex<Option<BoxFuture<'static, ()>>>,
    executed: Mutex<Vec<&'static str>>,
    held: Mutex<Option<(&'static str, Arc<Held>)>>,
}

/// A transaction that has run, and is not committed yet.
#[derive(Default)]
pub(crate) struct Held {
    reached: Notify,
    released: Notify,
}

impl Held {
    /// Waits until the transaction has run.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it commit.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    fn hold(self: Arc<Self>, job: Job) -> Job {
        let mut body = job.body;
        Job {
            body: Box::new(move |txn| {
                let (run, held) = (body(txn), Arc::clone(&self));
                Box::pin(async move {
                    run.await?;
                    held.reached.notify_one();
                    held.released.notified().await;
                    Ok(())
                })
            }),
            ..job
        }
    }
}

impl std::fmt::Debug for ServerEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerEngine").finish_non_exhaustive()
    }
}

impl ServerEngine {
    /// What it acknowledges is durable at once.
    pub(crate) fn new(inner: Arc<MemoryEngine>) -> ServerEngine {
        ServerEngine {
            inner,
            durability: Durability::Server,
            delayed: Mutex::default(),
            on_their_way: Mutex::default(),
            act: Mutex::default(),
            act_on_scan: Mutex::default(),
            act_on_allocation: Mutex::default(),
            executed: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// Somebody acts once, right after the next page of a directory was read.
    pub(crate) fn after_listing(&self, act: BoxFuture<'static, ()>) {
        *self.act.lock() = Some(act);
    }

    /// Somebody acts once, right after the next page of a range was read.
    pub(crate) fn after_scan(&self, range: Scan, act: BoxFuture<'static, ()>) {
        *self.act_on_scan.lock() = Some((range, act));
    }

    /// Somebody acts once, right after the next batch of numbers was taken.
    pub(crate) fn after_allocation(&self, act: BoxFuture<'static, ()>) {
        *self.act_on_allocation.lock() = Some(act);
    }

    /// From now on the commits of a verb get no answer, and stay on their way.
    pub(crate) fn delay(&self, verb: &'static str) {
        *self.delayed.lock() = Some(verb);
    }

    /// The next transaction of a verb waits before its commit.
    pub(crate) fn hold(&self, verb: &'static str) -> Arc<Held> {
        let held = Arc::<Held>::default();
        *self.held.lock() = Some((verb, Arc::clone(&held)));
        held
    }

    /// Transactions of a verb that were committed.
    pub(crate) fn executed(&self, verb: &str) -> usize {
        self.executed.lock().iter().filter(|done| **done == verb).count()
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
        let page = self.inner.survey(range, after, limit).await;
        let act = self.act_on_scan.lock().take_if(|(wanted, _)| wanted == range);
        if let Some((_, act)) = act {
            act.await;
        }
        page
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
impl Engine for ServerEngine {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn durability(&self) -> Durability {
        self.durability
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
        let verb = job.verb;
        let held = self.held.lock().take_if(|(held, _)| *held == verb);
        let job = match held {
            Some((_, held)) => held.hold(job),
            None => job,
        };
        self.inner.execute(job).await?;
        self.executed.lock().push(verb);
        Ok(())
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let first = self.inner.allocate(counter, batch).await;
        let act = self.act_on_allocation.lock().take();
        if let Some(act) = act {
            act.await;
        }
        first
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
