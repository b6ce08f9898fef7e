//! Relative changes of usage, written together a moment later: the records of the volume's counters are the same for
//! every change of every client, and whoever changes one in its own transaction waits for all others
//! (spec 40-sql section 4, 50-tkv section 5: the original writes them once per second).

use std::collections::BTreeMap;

use moorage_meta::{Key, Record};
use moorage_model::Counter;

use crate::write::Write;

/// Sums that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    by_key: BTreeMap<Key, Write>,
}

/// Whether changes of a record are summed up.
pub(crate) fn is_summed(key: &Key) -> bool {
    matches!(
        key,
        Key::Counter(Counter::UsedSpace | Counter::TotalInodes) | Key::DirStat(_) | Key::Quota(_)
    )
}

impl Sums {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Adds a relative change.
    pub(crate) fn add(&mut self, change: &Write) {
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
    pub(crate) fn forget(&mut self, key: &Key) {
        self.by_key.remove(key);
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Sums) {
        for change in other.by_key.values() {
            self.add(change);
        }
    }

    /// A record with what is not written yet.
    pub(crate) fn view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        match self.by_key.get(key) {
            Some(change) => change.apply(committed),
            None => committed,
        }
    }

    /// The changes that are left to write, one per record, in one order for all clients so that they wait for each other in no circle.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Write> {
        self.by_key.values().filter(|change| match change {
            Write::AddCounter(_, delta) => *delta != 0,
            Write::AddDirStat(_, delta) => !delta.is_zero(),
            Write::AddQuota(_, space, inodes) => (*space, *inodes) != (0, 0),
            _ => false,
        })
    }
}
