//! What a transaction sees: committed records under its own writes.

use moorage_meta::Scan;

use super::found::Found;
use crate::collected::Collected;

/// A range after the writes of a transaction.
pub(super) fn merged(collected: &Collected, range: &Scan, committed: Found) -> Found {
    let records = collected.merge(range, committed.records.into_iter().collect());
    Found {
        records: records.into_iter().collect(),
        nameless: committed.nameless,
    }
}
