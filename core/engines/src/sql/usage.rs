//! Writes the sums of this client, a moment after the changes that they count.

use std::sync::Arc;

use moorage_meta::Key;
use moorage_model::{Error, ErrorKind, Result};

use super::Shared;
use super::commit::sum_statements;
use super::driver::Reason;
use super::fate::{Fate, Witnesses};
use crate::runs::{MAX_RUNS, wait_before};
use crate::sums::{Sums, write_later};

impl Shared {
    /// Takes over changes of usage; they are written within a second. Those of `replaced` records are dropped before.
    pub(super) fn sum_up(self: &Arc<Self>, sums: &Sums, replaced: &[Key]) {
        if self.sums.lock().take_over(sums, replaced) {
            write_later(self, |shared| async move { shared.write_sums().await });
        }
    }

    /// Writes the sums of this client. Those of a transaction that failed are tried again; when its fate is not known they
    /// are dropped, since a repair can count what is missing, and what is counted twice stays.
    pub(super) async fn write_sums(self: &Arc<Self>) -> Result<()> {
        let _alone = self.writing_sums.write().await;
        let sums = std::mem::take(&mut *self.sums.lock());
        let statements = sum_statements(&sums, &self.statements);
        if statements.is_empty() {
            return Ok(());
        }
        let mut last = Error::from(ErrorKind::Conflict);
        for run in 0..MAX_RUNS {
            wait_before(run).await;
            let witnesses = match self.witnesses(&sums).await {
                Ok(witnesses) => witnesses,
                Err(error) => {
                    last = error;
                    break;
                }
            };
            let Err(failure) = self.driver.commit(&statements).await else {
                return Ok(());
            };
            match failure.reason {
                Reason::Conflict => last = failure.error,
                Reason::Unknown => match self.fate(witnesses, failure.connection.as_deref()).await {
                    Some(Fate::Applied) => return Ok(()),
                    Some(Fate::Lost) => last = failure.error,
                    None => return Err(failure.error),
                },
                Reason::MissingColumn | Reason::Refused => {
                    last = failure.error;
                    break;
                }
            }
        }
        self.sum_up(&sums, &[]);
        Err(last.context("usage"))
    }

    /// What the records of the sums are now, and what they become.
    async fn witnesses(&self, sums: &Sums) -> Result<Witnesses> {
        let changes: Vec<_> = sums.changes().collect();
        let keys: Vec<Key> = changes.iter().map(|change| change.key()).collect();
        let before = self.stored(&keys).await?;
        let all = keys.into_iter().zip(before).zip(changes);
        Ok(all
            .map(|((key, before), change)| {
                let after = change.apply(before.clone());
                (key, (before, after))
            })
            .filter(|(_, (before, after))| before != after)
            .collect())
    }
}
