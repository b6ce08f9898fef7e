//! Failures on purpose, of the store and of the engine.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use moorage_chunk::{Features, MemoryStore, ObjectInfo, ObjectStore, StoreCounters};
use moorage_engines::CommitFault;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::watch;

/// A store whose next writes fail, whose sync never ends, or that is silent.
#[derive(Debug, Default)]
pub(crate) struct FailingStore {
    inner: MemoryStore,
    pub(crate) failures: AtomicU32,
    pub(crate) hangs: AtomicBool,
    /// Neither takes nor gives objects while this holds.
    pub(crate) silent: watch::Sender<bool>,
}

impl FailingStore {
    async fn speak(&self) {
        // The sender lives as long as this.
        let _ = self.silent.subscribe().wait_for(|silent| !silent).await;
    }
}

#[async_trait]
impl ObjectStore for FailingStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.speak().await;
        let left = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            // Not a passing failure, so that nothing below tries again.
            Ok(_) => Err(Error::new(ErrorKind::NoSpace, format!("injected for {key}"))),
            Err(_) => self.inner.put(key, body).await,
        }
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        self.speak().await;
        self.inner.get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        self.inner.list(prefix, after, limit).await
    }

    async fn sync(&self) -> Result<()> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.inner.sync().await
    }

    fn describe(&self) -> String {
        "memory that fails".into()
    }

    fn features(&self) -> Features {
        self.inner.features()
    }

    fn counters(&self) -> StoreCounters {
        self.inner.counters()
    }
}

/// Commits of slice records that the database refuses while a reason is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefusedCommits {
    pub(crate) reason: Arc<Mutex<Option<ErrorKind>>>,
}

impl CommitFault for RefusedCommits {
    fn before_commit(&self, verb: &'static str) -> Result<()> {
        match *self.reason.lock() {
            Some(kind) if matches!(verb, "write" | "append") => {
                Err(Error::new(kind, format!("injected for {verb}")))
            }
            _ => Ok(()),
        }
    }

    fn after_commit(&self, _: &'static str) -> Result<()> {
        Ok(())
    }
}

/// Commits of slice records that end without an answer: every other one was done all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct LostAnswers {
    pub(crate) left: Arc<AtomicU32>,
}

impl LostAnswers {
    fn fail(&self, verb: &'static str, odd: u32) -> Result<()> {
        if !matches!(verb, "write" | "append") {
            return Ok(());
        }
        let take = |n: u32| (n > 0 && n % 2 == odd).then(|| n - 1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            // As when the server is a replica by the time that it is asked for the fate.
            Ok(_) => Err(Error::new(ErrorKind::ReadOnly, format!("injected for {verb}")).of_lost_commit()),
            Err(_) => Ok(()),
        }
    }
}

impl CommitFault for LostAnswers {
    fn before_commit(&self, verb: &'static str) -> Result<()> {
        self.fail(verb, 0)
    }

    fn after_commit(&self, verb: &'static str) -> Result<()> {
        self.fail(verb, 1)
    }
}
