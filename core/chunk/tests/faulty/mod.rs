//! A store that can be switched off, and remembers the order of what it was given.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use moorage_chunk::{MemoryStore, ObjectInfo, ObjectStore, StoreCounters};
use moorage_model::{Error, ErrorKind, Result};

#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    /// Every call fails as if the network was gone.
    pub(crate) down: AtomicBool,
    /// No call is ever answered.
    pub(crate) silent: AtomicBool,
    /// Keys in the order they were stored.
    pub(crate) stored: Mutex<Vec<String>>,
    pub(crate) calls: AtomicUsize,
}

impl FaultyStore {
    async fn pass(&self) -> Result<()> {
        self.calls.fetch_add(1, SeqCst);
        if self.silent.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.down.load(SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the network is gone"));
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.pass().await?;
        self.stored.lock().unwrap().push(key.to_owned());
        self.inner.put(key, body).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        self.pass().await?;
        self.inner.get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        self.pass().await?;
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.pass().await?;
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
        Ok(())
    }

    fn describe(&self) -> String {
        "a store with faults".to_owned()
    }

    fn counters(&self) -> StoreCounters {
        self.inner.counters()
    }
}

/// Waits until something is so, for ten seconds at most.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !so() {
        assert!(
            std::time::Instant::now() < deadline,
            "it never came true that {what}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
