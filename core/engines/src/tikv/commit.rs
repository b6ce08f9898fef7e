//! Commits and their fates.
//!
//! A commit is one round trip: the servers check that nobody wrote any of its keys since it began, written or only
//! decided on. Where the keys are in several regions it is two: what is locked in all of them is committed by one key.
//! When the answer is lost, nothing is guessed: the cluster is made to decide the transaction, and asked to roll it back,
//! which it refuses for one that is committed.

use std::sync::Arc;

use moorage_model::{Error, ErrorKind};
use tikv_client::Transaction;

use super::Shared;
use super::failure::{failure, is_passing, is_unconnected, key_errors};
use super::link::{ANSWER_LIMIT, Moment, Patience};
use super::staged::Staged;

/// A commit that did not succeed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// The key that another client wrote.
    pub(super) key: Option<Vec<u8>>,
    /// It may have been applied.
    pub(super) unknown: bool,
}

impl Default for Failed {
    fn default() -> Self {
        Failed {
            error: Error::from(ErrorKind::Conflict),
            key: None,
            unknown: false,
        }
    }
}

/// What became of a commit whose answer was lost.
enum Fate {
    Applied,
    Lost,
    Unknown,
}

/// A transaction that is about to be committed.
pub(super) struct Outgoing {
    pub(super) shared: Arc<Shared>,
    pub(super) verb: &'static str,
    pub(super) transaction: Transaction,
    pub(super) moment: Moment,
}

impl Outgoing {
    /// Commits, and takes over the changes of usage that follow a moment later.
    pub(super) async fn send(mut self, staged: Staged) -> Result<(), Failed> {
        if !staged.after.is_empty() {
            self.commit(&staged).await?;
        }
        Shared::sum_up(&self.shared, &staged.sums, &staged.replaced);
        Ok(())
    }

    async fn commit(&mut self, staged: &Staged) -> Result<(), Failed> {
        let keys = self.fill(staged).await.map_err(|error| Failed {
            error: failure(&self.shared.link.address.shown, &error),
            ..Failed::default()
        })?;
        let sent = tokio::time::timeout(ANSWER_LIMIT, self.transaction.commit()).await;
        let error = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        if let Some(error) = error {
            if is_refusal(&error) {
                return Err(self.refused(error).await);
            }
            if is_unconnected(&error) {
                return Err(self.unsent(&keys, &error).await);
            }
            let passing = is_passing(&error) || matches!(error, tikv_client::Error::OnePcFailure);
            return self.settle(&keys, Some(error), passing).await;
        }
        self.settle(&keys, None, true).await
    }

    /// Gives the writes and locks to the client library. Answers with all keys, the one that decides first.
    async fn fill(&mut self, staged: &Staged) -> tikv_client::Result<Vec<Vec<u8>>> {
        let transaction = &mut self.transaction;
        for (key, value) in &staged.after {
            let key = key.clone();
            match value {
                Some(value) if staged.fresh.contains(&key) => transaction.insert(key, value.clone()).await?,
                Some(value) => transaction.put(key, value.clone()).await?,
                None if staged.fresh.contains(&key) => {
                    // Together: the key must not exist, and stays so.
                    transaction.insert(key.clone(), Vec::new()).await?;
                    transaction.delete(key).await?;
                }
                None => transaction.delete(key).await?,
            }
        }
        Ok(staged.after.keys().cloned().collect())
    }

    /// Other clients won. Where keys are in several regions some of them may be locked by now.
    async fn refused(&mut self, error: tikv_client::Error) -> Failed {
        let rolled_back = tokio::time::timeout(ANSWER_LIMIT, self.transaction.rollback()).await;
        if !matches!(rolled_back, Ok(Ok(()))) {
            tracing::debug!(verb = self.verb, "locks of a refused commit stay until they end");
        }
        if let tikv_client::Error::ResolveLockError(locks) = &error {
            self.moment.end_expired(locks).await;
        }
        let key = conflicting_key(&error);
        let what = key
            .as_ref()
            .map_or_else(|| "a record".to_owned(), |key| self.shared.layout.shown(key));
        let source = failure(&self.shared.link.address.shown, &error);
        Failed {
            error: Error::new(
                ErrorKind::Conflict,
                format!("{}: another client changed {what} at the same time", self.verb),
            )
            .with_source(source),
            key,
            unknown: false,
        }
    }

    /// A store was not reached, so that nothing is committed: the request that commits is the last one. Other stores may
    /// have locked records; those locks end by themselves. Waits until all records can be read again.
    async fn unsent(&self, keys: &[Vec<u8>], error: &tikv_client::Error) -> Failed {
        self.moment.forget().await;
        let reachable = async { self.shared.link.now().await?.values(keys).await };
        if let Err(error) = reachable.await {
            return Failed {
                error: error.context(self.verb),
                ..Failed::default()
            };
        }
        let source = failure(&self.shared.link.address.shown, error);
        Failed {
            error: Error::new(
                ErrorKind::Conflict,
                format!("{}: a store of the cluster is not reachable", self.verb),
            )
            .with_source(source),
            ..Failed::default()
        }
    }

    async fn settle(
        &mut self,
        keys: &[Vec<u8>],
        error: Option<tikv_client::Error>,
        passing: bool,
    ) -> Result<(), Failed> {
        let place = &self.shared.link.address.shown;
        let error = match error {
            Some(error) => failure(place, &error),
            None => Error::new(ErrorKind::Timeout, format!("TiKV {place} does not answer")),
        };
        let verb = self.verb;
        match self.fate(keys).await {
            Fate::Applied => Ok(()),
            Fate::Lost if passing => Err(Failed {
                error: Error::new(
                    ErrorKind::Conflict,
                    format!("{verb}: the cluster did not take the commit"),
                )
                .with_source(error),
                ..Failed::default()
            }),
            Fate::Lost => Err(Failed {
                error: error.context(verb),
                ..Failed::default()
            }),
            Fate::Unknown => Err(Failed {
                error: error.of_lost_commit().context(verb),
                key: None,
                unknown: true,
            }),
        }
    }

    /// Reading the keys makes the cluster decide the transaction wherever it has left locks; without locks, a rollback is
    /// recorded where nothing was committed, so that a request that is still on its way can change nothing.
    async fn fate(&mut self, keys: &[Vec<u8>]) -> Fate {
        let mut patience = Patience::new();
        loop {
            self.moment.end_own(keys).await;
            let without_locks = match self.shared.link.now().await {
                Ok(now) => now.values(keys).await.is_ok(),
                Err(_) => false,
            };
            if without_locks {
                let asked = self.transaction.rollback();
                match tokio::time::timeout(ANSWER_LIMIT, asked).await {
                    Ok(Ok(())) => return Fate::Lost,
                    Ok(Err(error)) if !key_errors(&error).is_empty() => return Fate::Applied,
                    _ => {}
                }
            }
            if !patience.pause().await {
                return Fate::Unknown;
            }
        }
    }
}

/// Whether a server refused the commit because of what others did.
fn is_refusal(error: &tikv_client::Error) -> bool {
    matches!(error, tikv_client::Error::ResolveLockError(_)) || !key_errors(error).is_empty()
}

/// The key that kept a commit from being taken.
fn conflicting_key(error: &tikv_client::Error) -> Option<Vec<u8>> {
    if let tikv_client::Error::ResolveLockError(locks) = error {
        return locks.first().map(|lock| lock.key.clone());
    }
    key_errors(error).into_iter().find_map(|error| {
        let conflict = error.conflict.as_ref().map(|conflict| conflict.key.clone());
        conflict.or_else(|| error.already_exist.as_ref().map(|found| found.key.clone()))
    })
}
