//! What became of a commit whose answer was lost: the server is made to end its connection, and then the records tell.

use std::collections::{BTreeMap, BTreeSet};

use moorage_meta::{Key, Record};
use moorage_model::Result;

use super::Shared;
use super::statement::Statement;
use super::txn::SqlTxn;
use crate::collected::Change;
use crate::relational::decode_value;
use crate::sums::is_summed;
use crate::write::Write;

/// An end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// All of it is there.
    Applied,
    /// Nothing of it is there, and nothing will be.
    Lost,
}

impl Shared {
    /// The fate of a transaction that was sent on this connection and changes these records; `None` when it can not be
    /// told: the server is not reachable, nothing changes that shows, or other clients changed the same records since.
    pub(super) async fn fate(&self, witnesses: Witnesses, connection: Option<&str>) -> Option<Fate> {
        let found = self.look(witnesses, connection?).await;
        match found {
            Ok(fate) => fate,
            Err(error) => {
                tracing::warn!(%error, "the fate of a commit could not be read");
                None
            }
        }
    }

    async fn look(&self, witnesses: Witnesses, connection: &str) -> Result<Option<Fate>> {
        let ended = self.driver.end(connection).await;
        ended.map_err(|failure| failure.error)?;
        let keys: Vec<Key> = witnesses.keys().cloned().collect();
        let now = self.stored(&keys).await?;
        let mut fates = BTreeSet::new();
        for ((before, after), now) in witnesses.into_values().zip(now) {
            match now {
                now if now == after => fates.insert(true),
                now if now == before => fates.insert(false),
                // Others changed it since; the rest may still tell.
                _ => continue,
            };
        }
        Ok(match (fates.contains(&true), fates.contains(&false)) {
            (true, false) => Some(Fate::Applied),
            (false, true) => Some(Fate::Lost),
            _ => None,
        })
    }

    /// Records as the server has them, without the sums of this client.
    pub(super) async fn stored(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let queries: Vec<Statement> = keys.iter().map(|key| self.statements.get(key)).collect();
        let answers = self.driver.query(&queries).await;
        let answers = answers.map_err(|failure| failure.error)?;
        keys.iter()
            .zip(answers)
            .map(|(key, rows)| rows.first().map(|row| decode_value(key, row, 0)).transpose())
            .collect()
    }
}

/// A record before a transaction and after it.
type Changed = (Option<Record>, Option<Record>);

/// Records that a transaction changes: they tell whether it happened.
pub(super) type Witnesses = BTreeMap<Key, Changed>;

/// Those of a verb.
pub(super) fn witnesses(txn: &SqlTxn<'_>) -> Result<Witnesses> {
    let mut witnesses = BTreeMap::new();
    for change in &txn.collected.changes {
        let Change::Record(write) = change else { continue };
        let key = write.key();
        if is_summed(&key) || witnesses.contains_key(&key) {
            continue;
        }
        let before = match (txn.seen.records.get(&key), write) {
            (Some(row), _) => row.as_ref().map(|row| decode_value(&key, row, 0)).transpose()?,
            // Both fail when the record is there.
            (None, Write::Insert(..) | Write::NewSlice(..)) => None,
            (None, _) => continue,
        };
        let after = txn.collected.view(&key, before.clone());
        if before != after {
            witnesses.insert(key, (before, after));
        }
    }
    Ok(witnesses)
}
