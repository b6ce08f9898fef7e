//! The durability barrier: data first, then the metadata that names it (DESIGN, "Durability").

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moorage_model::{Error, Result};
use tokio::sync::{Mutex, RwLock, RwLockReadGuard};

use crate::{DataStore, Durability, Meta};

/// Orders the commits of slice records against barriers, and lets one barrier serve all that wait.
#[derive(Debug, Default)]
pub(crate) struct Barrier {
    /// Held shared while slice records are committed, exclusively from the last sync of the objects to the sync of
    /// the metadata: no record may become durable by a barrier that its objects came too late for.
    commits: RwLock<()>,
    /// Barriers asked for so far.
    asked: AtomicU64,
    /// Requests that a finished barrier covered.
    covered: Mutex<u64>,
    /// Something was committed since the last barrier began.
    changed: AtomicBool,
}

impl Barrier {
    /// Held while slice records are committed.
    pub(crate) async fn commit_turn(&self) -> RwLockReadGuard<'_, ()> {
        self.commits.read().await
    }

    /// Notes a commit.
    pub(crate) fn note_change(&self) {
        if !self.changed.load(Ordering::Relaxed) {
            self.changed.store(true, Ordering::SeqCst);
        }
    }
}

impl Meta {
    /// The data layer, once a session was started.
    pub(crate) fn data_store(&self) -> Option<Arc<dyn DataStore>> {
        self.data.read().clone()
    }

    /// Returns when every object acknowledged and every change committed before the call survives power loss, as far
    /// as store and engine can promise. One barrier serves every caller that waits.
    ///
    /// # Errors
    /// What the store's or the engine's sync answers; nothing is promised then.
    ///
    /// # Cancel safety
    /// Dropping the future gives the promise up, nothing else.
    pub async fn make_durable(&self) -> Result<()> {
        let ticket = self.barrier.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut covered = self.barrier.covered.lock().await;
        if *covered >= ticket {
            return Ok(());
        }
        let covers = self.barrier.asked.load(Ordering::SeqCst);
        self.barrier.changed.store(false, Ordering::SeqCst);
        let outcome = self.sync_all().await;
        match outcome {
            Ok(()) => *covered = covers,
            Err(_) => self.barrier.note_change(),
        }
        outcome
    }

    /// As [`Meta::make_durable`], when anything was committed since the last barrier.
    pub(crate) async fn make_durable_if_changed(&self) -> Result<()> {
        if self.barrier.changed.load(Ordering::SeqCst) {
            self.make_durable().await
        } else {
            Ok(())
        }
    }

    async fn sync_all(&self) -> Result<()> {
        let data = self.data_store();
        if let Some(data) = &data {
            data.sync().await?;
        }
        let _turn = self.barrier.commits.write().await;
        if let Some(data) = &data {
            // What was stored during the first sync, usually little: commits wait for this one only.
            data.sync().await?;
        }
        self.engine.make_durable().await
    }

    /// Makes stored objects durable before a commit that is durable at once.
    pub(crate) async fn sync_before_commit(&self) -> Result<()> {
        match self.data_store() {
            Some(data) if self.engine.durability() == Durability::Server => {
                data.sync().await.map_err(Error::of_service)
            }
            _ => Ok(()),
        }
    }
}
