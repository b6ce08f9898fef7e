//! Relative changes of usage, written together a moment later: the rows of the volume's counters are the same for
//! every change of every client, and whoever changes one in its own transaction waits for all others
//! (spec 40-sql section 4: the original writes them once per second).

use std::collections::BTreeMap;

use moorage_meta::{Key, Record};
use moorage_model::Counter;

use super::statement::Statement;
use super::statements::Statements;
use crate::write::Write;

/// Sums that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Sums {
    by_key: BTreeMap<Key, Write>,
}

/// Whether changes of a record are summed up.
pub(super) fn is_summed(key: &Key) -> bool {
    matches!(
        key,
        Key::Counter(Counter::UsedSpace | Counter::TotalInodes) | Key::DirStat(_) | Key::Quota(_)
    )
}

impl Sums {
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// The changes, one per record.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Write> {
        self.by_key.values()
    }

    /// Adds a relative change.
    pub(super) fn add(&mut self, change: &Write) {
        let key = change.key();
        let sum = match (self.by_key.get(&key), change) {
            (Some(Write::AddCounter(_, before)), Write::AddCounter(counter, delta)) => {
                Write::AddCounter(*counter, before.saturating_add(*delta))
            }
            (Some(Write::AddDirStat(_, before)), Write::AddDirStat(ino, delta)) => {
                let mut sum = *before;
                sum += *delta;
                Write::AddDirStat(*ino, sum)
            }
            (Some(Write::AddQuota(_, space, inodes)), Write::AddQuota(quota, more_space, more_inodes)) => {
                Write::AddQuota(
                    *quota,
                    space.saturating_add(*more_space),
                    inodes.saturating_add(*more_inodes),
                )
            }
            _ => change.clone(),
        };
        self.by_key.insert(key, sum);
    }

    /// Drops what was added to a record that is stored or removed as a whole.
    pub(super) fn forget(&mut self, key: &Key) {
        self.by_key.remove(key);
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Sums) {
        for change in other.by_key.values() {
            self.add(change);
        }
    }

    /// A record with what is not written yet.
    pub(super) fn view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        match self.by_key.get(key) {
            Some(change) => change.apply(committed),
            None => committed,
        }
    }

    /// Statements that write the sums, in one order for all clients so that they wait for each other in no circle.
    pub(super) fn statements(&self, statements: &Statements) -> Vec<Statement> {
        let mut all = Vec::with_capacity(self.by_key.len());
        for change in self.by_key.values() {
            match change {
                Write::AddCounter(counter, delta) if *delta != 0 => {
                    all.extend(statements.add_counter(*counter, *delta, false));
                }
                Write::AddDirStat(ino, delta) if !delta.is_zero() => {
                    all.push(statements.add_dir_stat(*ino, *delta));
                }
                Write::AddQuota(quota, space, inodes) if (*space, *inodes) != (0, 0) => {
                    all.push(statements.add_quota(*quota, *space, *inodes));
                }
                _ => {}
            }
        }
        all
    }
}
