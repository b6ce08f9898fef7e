//! Counting anew what is below directories that got a quota while this client ran.
//!
//! A client learns of a quota that somebody else has set at its next heartbeat (spec 70-semantics section 8). What it
//! changed below the directory until then is in no figure: whoever set the quota added up what was there before, and
//! from then on every client counts what it does itself. So each client that changed anything closes its own gap.

use std::collections::BTreeMap;
use std::sync::Weak;

use moorage_model::{Ino, QuotaKey, Result};
use parking_lot::Mutex;

use super::Counting;
use crate::{Key, Meta, Record};

/// Heartbeats within which a figure has to come out right. In a tree that never holds still it may not.
const MAX_HEARTBEATS: u32 = 10;
/// Times that a directory is added up per heartbeat while others change it.
const MAX_TRIES: u32 = 3;

/// Directories whose figures may lack what this client did.
#[derive(Debug, Default)]
pub(crate) struct QuotaRecounts {
    waiting: Mutex<BTreeMap<Ino, Waiting>>,
    /// Held while directories are added up.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Heartbeats since the quota became known.
    heartbeats: u32,
    /// Whether to add it up: it may be wrong, or was put right and is to be looked at once more.
    due: bool,
}

/// What became of a recount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The figure is what was added up.
    Right,
    /// The figure was replaced. Another client may not have written yet what it counted for nodes that were added up.
    Replaced,
    /// Somebody changed it meanwhile.
    Busy,
    /// There is no such quota any more.
    Gone,
}

impl QuotaRecounts {
    /// A quota that this client has set itself; what it did while it added up is looked for after the next heartbeat.
    pub(super) fn note_own(&self, directory: Ino) {
        self.note(directory, false);
    }

    /// A heartbeat: `appeared` have a quota now that this client did not know, and it has `changed` entries since the
    /// heartbeat before. Answers whether any directory is to be added up.
    fn beat(&self, appeared: &[Ino], changed: bool) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.retain(|directory, state| {
            state.heartbeats += 1;
            // A change that was under way when the quota became known may have gone by without it.
            state.due |= changed && state.heartbeats == 1;
            if state.heartbeats > MAX_HEARTBEATS && state.due {
                tracing::warn!(
                    %directory,
                    "the usage of a new quota could not be counted because the directory changes all the time; \
                     `moorage quota check --repair` counts it"
                );
            }
            state.due && state.heartbeats <= MAX_HEARTBEATS
        });
        drop(waiting);
        for directory in appeared {
            self.note(*directory, changed);
        }
        self.waiting.lock().values().any(|state| state.due)
    }

    fn note(&self, directory: Ino, due: bool) {
        self.waiting
            .lock()
            .insert(directory, Waiting { heartbeats: 0, due });
    }

    fn due(&self) -> Vec<Ino> {
        let waiting = self.waiting.lock();
        let due = waiting.iter().filter(|(_, state)| state.due);
        due.map(|(directory, _)| *directory).collect()
    }

    fn settle(&self, directory: Ino, outcome: Outcome) {
        let mut waiting = self.waiting.lock();
        match outcome {
            Outcome::Right => {
                if let Some(state) = waiting.get_mut(&directory) {
                    state.due = false;
                }
            }
            Outcome::Gone => drop(waiting.remove(&directory)),
            Outcome::Replaced | Outcome::Busy => {}
        }
    }
}

impl Meta {
    /// Takes note of quotas that the heartbeat found, and starts adding up what may be wrong.
    pub(crate) fn recount_later(&self, appeared: &[Ino]) {
        let changed = self.caches.usage.take_changed();
        if self.options.read_only || !self.recounts.beat(appeared, changed) {
            return;
        }
        if self.recounts.turn.try_lock().is_err() {
            // The walk of an earlier heartbeat goes on; what is due stays due.
            return;
        }
        let meta = Weak::clone(&self.this);
        self.tasks.spawn(|mut stop| async move {
            let Some(meta) = meta.upgrade() else { return };
            tokio::select! {
                () = stop.stopped() => {}
                counted = meta.recount_new_quotas() => if let Err(error) = counted {
                    tracing::warn!(%error, "counting what is below a new quota; the next heartbeat tries again");
                },
            }
        });
    }

    /// Does now what follows a heartbeat in the background: adds up the directories that got a quota while this client
    /// ran and changed things. A figure is replaced only if nobody has changed it since before the directory was added
    /// up. What could not be settled is tried again after the next heartbeat.
    ///
    /// Round trips per directory: one, those of a walk over every node, and one transaction when the figure was wrong.
    ///
    /// # Errors
    /// The first failure, after all directories were tried.
    ///
    /// # Cancel safety
    /// Safe; what was not done is done after the next heartbeat.
    pub async fn recount_new_quotas(&self) -> Result<()> {
        let _turn = self.recounts.turn.lock().await;
        let mut first_failure = Ok(());
        for directory in self.recounts.due() {
            match self.recount_quota(directory).await {
                Ok(outcome) => self.recounts.settle(directory, outcome),
                Err(error) => first_failure = first_failure.and(Err(error)),
            }
        }
        first_failure
    }

    async fn recount_quota(&self, directory: Ino) -> Result<Outcome> {
        let key = QuotaKey::Directory(directory);
        for _ in 0..MAX_TRIES {
            let Some(before) = self.get_quota(key).await? else {
                return Ok(Outcome::Gone);
            };
            // Not by statistics: they may have drifted, and the figure may have been counted without them.
            let actual = self.usage_below(directory, Counting::Entries).await?;
            if (before.used_space, before.used_inodes) == (actual.space, actual.inodes) {
                return Ok(Outcome::Right);
            }
            let replaced = self
                .transact("recount quota", move |_, txn| {
                    Box::pin(async move {
                        let stored = txn.get_locked(&[Key::Quota(key)]).await?.quota()?;
                        let unchanged = |quota: &moorage_model::Quota| {
                            (quota.used_space, quota.used_inodes) == (before.used_space, before.used_inodes)
                        };
                        let Some(mut quota) = stored.filter(unchanged) else {
                            return Ok(false);
                        };
                        (quota.used_space, quota.used_inodes) = (actual.space, actual.inodes);
                        txn.put(Key::Quota(key), Record::Quota(quota));
                        Ok(true)
                    })
                })
                .await?;
            if replaced {
                tracing::info!(
                    %directory,
                    before = before.used_space,
                    now = actual.space,
                    "counted what was changed below a directory while its quota was not known here"
                );
                return Ok(Outcome::Replaced);
            }
        }
        Ok(Outcome::Busy)
    }
}
