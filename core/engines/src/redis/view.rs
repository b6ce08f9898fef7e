//! What a transaction sees: committed records under its own writes.

use std::collections::BTreeMap;

use moorage_meta::Scan;
use moorage_model::Ino;

use super::found::Found;
use crate::collected::{Change, Collected};

/// A range after the writes of a transaction.
pub(super) fn merged(collected: &Collected, range: &Scan, committed: Found) -> Found {
    let records = collected.merge(range, committed.records.into_iter().collect());
    Found {
        records: records.into_iter().collect(),
        nameless: committed.nameless,
    }
}

/// The numbers of entries per directory of a hard-linked node after the writes of a transaction.
pub(super) fn parents(collected: &Collected, ino: Ino, committed: Vec<(Ino, u32)>) -> Vec<(Ino, u32)> {
    let mut counts: BTreeMap<Ino, i64> = committed
        .into_iter()
        .map(|(parent, count)| (parent, i64::from(count)))
        .collect();
    for change in &collected.changes {
        if let Change::Parent(of, directory, delta) = change
            && *of == ino
        {
            *counts.entry(*directory).or_default() += delta;
        }
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(parent, count)| (parent, u32::try_from(count).unwrap_or(u32::MAX)))
        .collect()
}
