//! The writes of a transaction that sends them with its commit, and reads that see them.

use std::collections::BTreeMap;

use moorage_meta::{DamagedRecord, Key, Record, Scan, Survey};
use moorage_model::{Error, Ino, Result};

use crate::write::Write;

/// Records of a range that can be read, and errors of those that can not.
pub(crate) type Found = BTreeMap<Key, Result<Record>>;

/// One collected write.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Of one record.
    Record(Write),
    /// Of the number of entries that a directory has for a node, where the layout keeps such numbers.
    Parent(Ino, Ino, i64),
    /// Of everything that belongs to a removed node.
    Attachments(Ino),
    /// A line of the changelog.
    Line(String),
}

/// What a transaction wrote so far, in its order.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) changes: Vec<Change>,
}

impl Collected {
    pub(crate) fn push(&mut self, write: Write) {
        self.changes.push(Change::Record(write));
    }

    /// A record as the transaction sees it, when this is what was read.
    pub(crate) fn view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        self.changes.iter().fold(committed, |found, change| match change {
            Change::Record(write) if write.key() == *key => write.apply(found),
            Change::Attachments(ino) if is_attached(key, *ino) => None,
            _ => found,
        })
    }

    /// Whether a record was written.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Record(write) => write.key() == *key,
            Change::Attachments(ino) => is_attached(key, *ino),
            Change::Parent(..) | Change::Line(_) => false,
        })
    }

    /// Whether anything was written to a range.
    pub(crate) fn touches(&self, range: &Scan) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Record(write) => belongs(range, &write.key()),
            Change::Attachments(ino) => [Scan::Xattrs(*ino), Scan::AllXattrs].contains(range),
            Change::Parent(..) => false,
            Change::Line(_) => *range == Scan::Changelog,
        })
    }

    /// The numbers of entries per directory of a hard-linked node as the transaction sees them, when these were read.
    pub(crate) fn parents(&self, ino: Ino, committed: Vec<(Ino, u32)>) -> Vec<(Ino, u32)> {
        let mut counts: BTreeMap<Ino, i64> = committed
            .into_iter()
            .map(|(parent, count)| (parent, i64::from(count)))
            .collect();
        for change in &self.changes {
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

    /// A whole range as the transaction sees it, when this is what was read.
    pub(crate) fn merge(&self, range: &Scan, mut found: Found) -> Found {
        for change in &self.changes {
            match change {
                Change::Record(write) if belongs(range, &write.key()) => {
                    let key = write.key();
                    let before = found.remove(&key).and_then(Result::ok);
                    if let Some(after) = write.apply(before) {
                        found.insert(key, Ok(after));
                    }
                }
                Change::Attachments(ino) => found.retain(|key, _| !is_attached(key, *ino)),
                _ => {}
            }
        }
        found
    }
}

fn is_attached(key: &Key, ino: Ino) -> bool {
    matches!(key, Key::Xattr(of, _) if *of == ino)
}

/// Whether a record is of a range.
pub(crate) fn belongs(range: &Scan, key: &Key) -> bool {
    match (range, key) {
        (Scan::Edges(of), Key::Edge(ino, _))
        | (Scan::Xattrs(of), Key::Xattr(ino, _))
        | (Scan::Chunks(of) | Scan::DeletedChunks(of, _), Key::Chunk(ino, _))
        | (Scan::FileLocks(of), Key::FileLock(ino, ..))
        | (Scan::RecordLocks(of), Key::RecordLocks(ino, ..)) => of == ino,
        (Scan::Sustained(of), Key::Sustained(sid, _))
        | (Scan::SessionLocks(of), Key::FileLock(_, sid, _) | Key::RecordLocks(_, sid, _)) => of == sid,
        (Scan::AllEdges, Key::Edge(..))
        | (Scan::AllNodes, Key::Node(_))
        | (Scan::AllXattrs, Key::Xattr(..))
        | (Scan::AllChunks, Key::Chunk(..))
        | (Scan::SliceRefs | Scan::DeadSlices, Key::SliceRef(..))
        | (Scan::DelayedSlices, Key::DelayedSlices(..))
        | (Scan::Sessions, Key::Session(_))
        | (Scan::LegacySessions, Key::LegacySession(_))
        | (Scan::AllSustained, Key::Sustained(..))
        | (Scan::DeletedFiles, Key::DeletedFile(..))
        | (Scan::DirStats, Key::DirStat(_))
        | (Scan::Quotas, Key::Quota(_))
        | (Scan::Detached, Key::Detached(_))
        | (Scan::Acls, Key::Acl(_))
        | (Scan::Changelog, Key::ChangelogLine(_)) => true,
        _ => false,
    }
}

/// One page of a range that is known whole, in the order of its keys.
pub(crate) fn page(found: Found, after: Option<&Key>, limit: usize) -> Survey {
    let limit = limit.max(1);
    let mut survey = Survey::default();
    let mut last: Option<Key> = None;
    for (count, (key, record)) in found
        .into_iter()
        .filter(|(key, _)| after.is_none_or(|after| key > after))
        .enumerate()
    {
        if count == limit {
            survey.next = last;
            return survey;
        }
        last = Some(key.clone());
        match record {
            Ok(record) => survey.items.push((key, record)),
            Err(error) => survey.damaged.push(damaged(key, error)),
        }
    }
    survey
}

fn damaged(key: Key, error: Error) -> DamagedRecord {
    DamagedRecord {
        key: Some(key),
        error,
    }
}
