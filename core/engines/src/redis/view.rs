//! What a transaction sees: committed records under its own writes.

use std::collections::BTreeMap;

use moorage_meta::{Key, Record, Scan};
use moorage_model::{Ino, Result};

use super::changes::Change;
use super::found::Found;

/// The writes of one transaction, in their order.
#[derive(Debug, Default)]
pub(super) struct Collected(pub(super) Vec<Change>);

impl Collected {
    /// A committed record after them.
    pub(super) fn view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        self.0.iter().fold(committed, |found, change| match change {
            Change::Record(write) if write.key() == *key => write.apply(found),
            Change::Attachments(ino) if matches!(key, Key::Xattr(of, _) if of == ino) => None,
            _ => found,
        })
    }

    /// Whether one of them changes the record.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.0.iter().any(|change| match change {
            Change::Record(write) => write.key() == *key,
            Change::Attachments(ino) => matches!(key, Key::Xattr(of, _) if of == ino),
            _ => false,
        })
    }

    /// Whether one of them changes a record of the range.
    pub(super) fn touch(&self, range: &Scan) -> bool {
        self.0
            .iter()
            .any(|change| matches!(change, Change::Record(write) if belongs(range, &write.key())))
    }

    /// A range after them.
    pub(super) fn merged(&self, range: &Scan, committed: Found) -> Found {
        let mut records: BTreeMap<Key, Result<Record>> = committed.records.into_iter().collect();
        for change in &self.0 {
            match change {
                Change::Record(write) if belongs(range, &write.key()) => {
                    let key = write.key();
                    let before = records.remove(&key).and_then(Result::ok);
                    if let Some(after) = write.apply(before) {
                        records.insert(key, Ok(after));
                    }
                }
                Change::Attachments(ino) if *range == Scan::Xattrs(*ino) => records.clear(),
                _ => {}
            }
        }
        Found {
            records: records.into_iter().collect(),
            nameless: committed.nameless,
        }
    }

    /// The numbers of entries per directory of a hard-linked node after them.
    pub(super) fn parents(&self, ino: Ino, committed: Vec<(Ino, u32)>) -> Vec<(Ino, u32)> {
        let mut counts: BTreeMap<Ino, i64> = committed
            .into_iter()
            .map(|(parent, count)| (parent, i64::from(count)))
            .collect();
        for change in &self.0 {
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
}

/// Whether a key is of a range that transactions read.
fn belongs(range: &Scan, key: &Key) -> bool {
    match (range, key) {
        (Scan::Edges(of), Key::Edge(ino, _))
        | (Scan::Xattrs(of), Key::Xattr(ino, _))
        | (Scan::Chunks(of), Key::Chunk(ino, _))
        | (Scan::FileLocks(of), Key::FileLock(ino, ..))
        | (Scan::RecordLocks(of), Key::RecordLocks(ino, ..)) => of == ino,
        (Scan::DirStats, Key::DirStat(_)) | (Scan::Quotas, Key::Quota(_)) | (Scan::Acls, Key::Acl(_)) => true,
        _ => false,
    }
}
