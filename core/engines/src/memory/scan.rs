//! Ranges over the ordered records.

use std::collections::BTreeMap;
use std::ops::Bound;

use moorage_meta::{DamagedRecord, DirectoryEntry, Key, Record, Scan, Survey};
use moorage_model::{
    AclId, ChunkIndex, Gid, Ino, LockOwner, Name, NodeType, QuotaKey, Result, SessionId, SliceId, Uid,
};

use crate::entries::check_name;

/// Bounds that hold every record of the range; some hold others too, see [`belongs`].
pub(super) fn bounds(range: &Scan) -> (Bound<Key>, Bound<Key>) {
    let from = |key: Key| Bound::Included(key);
    let inos = |make: fn(Ino) -> Key| {
        (
            Bound::Included(make(Ino(0))),
            Bound::Included(make(Ino(u64::MAX))),
        )
    };
    let next = |ino: &Ino| Ino(ino.0.saturating_add(1));
    let lock = |ino: Ino| (ino, SessionId(0), LockOwner(0));
    match range {
        Scan::Edges(directory) => {
            let least = || Name::as_stored(b"");
            (
                from(Key::Edge(*directory, least())),
                Bound::Excluded(Key::Edge(next(directory), least())),
            )
        }
        Scan::AllEdges => (
            Bound::Excluded(Key::Node(Ino(u64::MAX))),
            Bound::Excluded(Key::Symlink(Ino(0))),
        ),
        Scan::AllNodes => inos(Key::Node),
        Scan::Xattrs(ino) => (
            from(Key::Xattr(*ino, Vec::new())),
            Bound::Excluded(Key::Xattr(next(ino), Vec::new())),
        ),
        Scan::AllXattrs => (
            from(Key::Xattr(Ino(0), Vec::new())),
            Bound::Excluded(Key::Chunk(Ino(0), ChunkIndex(0))),
        ),
        Scan::Chunks(ino) | Scan::DeletedChunks(ino, _) => (
            from(Key::Chunk(*ino, ChunkIndex(0))),
            Bound::Included(Key::Chunk(*ino, ChunkIndex(u32::MAX))),
        ),
        Scan::AllChunks => (
            from(Key::Chunk(Ino(0), ChunkIndex(0))),
            Bound::Included(Key::Chunk(Ino(u64::MAX), ChunkIndex(u32::MAX))),
        ),
        Scan::SliceRefs | Scan::DeadSlices => (
            from(Key::SliceRef(SliceId(0), 0)),
            Bound::Included(Key::SliceRef(SliceId(u64::MAX), u32::MAX)),
        ),
        Scan::DelayedSlices => (
            from(Key::DelayedSlices(SliceId(0), i64::MIN)),
            Bound::Included(Key::DelayedSlices(SliceId(u64::MAX), i64::MAX)),
        ),
        Scan::Sessions => (
            from(Key::Session(SessionId(0))),
            Bound::Included(Key::Session(SessionId(u64::MAX))),
        ),
        Scan::LegacySessions => (
            from(Key::LegacySession(SessionId(0))),
            Bound::Included(Key::LegacySession(SessionId(u64::MAX))),
        ),
        Scan::Sustained(sid) => (
            from(Key::Sustained(*sid, Ino(0))),
            Bound::Included(Key::Sustained(*sid, Ino(u64::MAX))),
        ),
        Scan::AllSustained => (
            from(Key::Sustained(SessionId(0), Ino(0))),
            Bound::Included(Key::Sustained(SessionId(u64::MAX), Ino(u64::MAX))),
        ),
        Scan::DeletedFiles => (
            from(Key::DeletedFile(Ino(0), 0)),
            Bound::Included(Key::DeletedFile(Ino(u64::MAX), u64::MAX)),
        ),
        Scan::FileLocks(ino) => {
            let (first, sid, owner) = lock(*ino);
            (
                from(Key::FileLock(first, sid, owner)),
                Bound::Excluded(Key::FileLock(next(ino), sid, owner)),
            )
        }
        Scan::RecordLocks(ino) => {
            let (first, sid, owner) = lock(*ino);
            (
                from(Key::RecordLocks(first, sid, owner)),
                Bound::Excluded(Key::RecordLocks(next(ino), sid, owner)),
            )
        }
        Scan::SessionLocks(_) => {
            let (first, sid, owner) = lock(Ino(0));
            (
                from(Key::FileLock(first, sid, owner)),
                Bound::Included(Key::RecordLocks(
                    Ino(u64::MAX),
                    SessionId(u64::MAX),
                    LockOwner(u64::MAX),
                )),
            )
        }
        Scan::DirStats => inos(Key::DirStat),
        Scan::Quotas => (
            from(Key::Quota(QuotaKey::Directory(Ino(0)))),
            Bound::Included(Key::Quota(QuotaKey::Group(Gid(u32::MAX)))),
        ),
        Scan::Detached => inos(Key::Detached),
        Scan::Changelog => (
            from(Key::ChangelogLine(0)),
            Bound::Included(Key::ChangelogLine(u64::MAX)),
        ),
        Scan::Acls => (
            from(Key::Acl(AclId(0))),
            Bound::Included(Key::Acl(AclId(u32::MAX))),
        ),
    }
}

/// Whether a record inside the bounds is one of the range.
fn belongs(range: &Scan, key: &Key, record: &Record) -> bool {
    match (range, key, record) {
        (Scan::DeadSlices, _, Record::Owners(owners)) => *owners <= 0,
        (Scan::SessionLocks(wanted), Key::FileLock(_, sid, _) | Key::RecordLocks(_, sid, _), _) => {
            sid == wanted
        }
        (
            Scan::Quotas,
            Key::Quota(QuotaKey::User(Uid(_)) | QuotaKey::Group(_) | QuotaKey::Directory(_)),
            _,
        ) => true,
        _ => true,
    }
}

/// One page of records that are given in order.
pub(super) fn page<'r>(
    range: &Scan,
    after: Option<&Key>,
    limit: usize,
    records: impl Iterator<Item = (&'r Key, &'r Record)>,
) -> Survey {
    let mut rest = records
        .filter(|(key, record)| after.is_none_or(|after| *key > after) && belongs(range, key, record))
        .map(|(key, record)| (key.clone(), record.clone()));
    let items: Vec<(Key, Record)> = rest.by_ref().take(limit.max(1)).collect();
    let more = rest.next().is_some();
    let mut survey = Survey {
        next: items.last().filter(|_| more).map(|(key, _)| key.clone()),
        ..Survey::default()
    };
    for (key, record) in items {
        match check_name(&key) {
            Ok(()) => survey.items.push((key, record)),
            Err(error) => survey.damaged.push(DamagedRecord {
                key: Some(key),
                error,
            }),
        }
    }
    survey
}

/// Directory entries from a page of edges.
///
/// # Errors
/// `Corrupt` naming an entry whose name is impossible.
pub(super) fn directory_entries(
    page: Survey,
    attributes: bool,
    node: impl Fn(Ino) -> Option<Record>,
) -> Result<Vec<DirectoryEntry>> {
    let entries = page.whole()?.items.into_iter();
    Ok(entries
        .filter_map(|(key, record)| match (key, record) {
            (Key::Edge(_, name), Record::Edge(entry)) => {
                let attr = match attributes.then(|| node(entry.ino)).flatten() {
                    Some(Record::Node(attr)) => Some(attr),
                    _ => None,
                };
                Some(DirectoryEntry {
                    name,
                    entry,
                    attr,
                    damaged: false,
                })
            }
            _ => None,
        })
        .collect())
}

/// Directories with entries for `ino`, from all records.
pub(super) fn parents<'r>(ino: Ino, records: impl Iterator<Item = (&'r Key, &'r Record)>) -> Vec<(Ino, u32)> {
    let mut counts = BTreeMap::new();
    for (key, record) in records {
        if let (Key::Edge(parent, _), Record::Edge(entry)) = (key, record)
            && entry.ino == ino
            && entry.kind != NodeType::Directory
        {
            *counts.entry(*parent).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}
