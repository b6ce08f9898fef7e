//! What became of a commit whose answer was lost: the server is made to end its connection, and then the records tell.

use std::collections::{BTreeMap, BTreeSet};

use moorage_meta::{Key, Read as _, Record};
use moorage_model::Result;

use super::SqlEngine;
use super::sums::is_summed;
use super::txn::SqlTxn;
use crate::collected::Change;
use crate::relational::decode_value;
use crate::write::Write;

/// An end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// All of it is there.
    Applied,
    /// Nothing of it is there, and nothing will be.
    Lost,
}

impl SqlEngine {
    /// The fate of a transaction that was sent on this connection; `None` when it can not be told: the server is not
    /// reachable, the transaction changed nothing that shows, or other clients changed the same records since.
    pub(super) async fn fate(&self, txn: &SqlTxn<'_>, connection: Option<&str>) -> Option<Fate> {
        let found = self.look(txn, connection?).await;
        match found {
            Ok(fate) => fate,
            Err(error) => {
                tracing::warn!(%error, "the fate of a commit could not be read");
                None
            }
        }
    }

    async fn look(&self, txn: &SqlTxn<'_>, connection: &str) -> Result<Option<Fate>> {
        let ended = self.shared.driver.end(connection).await;
        ended.map_err(|failure| failure.error)?;
        let witnesses = witnesses(txn)?;
        let keys: Vec<Key> = witnesses.keys().cloned().collect();
        let now = self.read(&keys).await?;
        let mut fates = BTreeSet::new();
        for ((before, after), now) in witnesses.into_values().zip(now) {
            match now {
                now if now == after => fates.insert(true),
                now if now == before => fates.insert(false),
                _ => return Ok(None),
            };
        }
        Ok(match (fates.contains(&true), fates.contains(&false)) {
            (true, false) => Some(Fate::Applied),
            (false, true) => Some(Fate::Lost),
            _ => None,
        })
    }
}

/// A record before a transaction and after it.
type Changed = (Option<Record>, Option<Record>);

/// Records that the transaction changes.
fn witnesses(txn: &SqlTxn<'_>) -> Result<BTreeMap<Key, Changed>> {
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
