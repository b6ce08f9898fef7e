//! Where the row of a record is.

use moorage_meta::Key;
use moorage_model::QuotaKey;

use super::{Cell, Table};

/// Table of a record and the values of [`Table::key`].
pub(crate) fn address(key: &Key) -> (Table, Vec<Cell<'_>>) {
    let lock = |ino: u64, sid: u64, owner: u64| vec![Cell::bits(ino), Cell::bits(sid), Cell::bits(owner)];
    match key {
        Key::Setting => (Table::Setting, vec![Cell::text(b"format")]),
        Key::Counter(counter) => (Table::Counter, vec![Cell::text(counter.name().as_bytes())]),
        Key::Node(ino) => (Table::Node, vec![Cell::bits(ino.0)]),
        Key::Edge(parent, name) => (
            Table::Edge,
            vec![Cell::bits(parent.0), Cell::blob(name.as_bytes())],
        ),
        Key::Symlink(ino) => (Table::Symlink, vec![Cell::bits(ino.0)]),
        Key::Xattr(ino, name) => (Table::Xattr, vec![Cell::bits(ino.0), Cell::text(name)]),
        Key::Chunk(ino, index) => (Table::Chunk, vec![Cell::bits(ino.0), Cell::Int(index.0.into())]),
        Key::SliceRef(id, _) => (Table::SliceRef, vec![Cell::bits(id.0)]),
        Key::DelayedSlices(id, deleted) => {
            (Table::DelayedSlices, vec![Cell::bits(id.0), Cell::Int(*deleted)])
        }
        Key::Session(sid) => (Table::Session, vec![Cell::bits(sid.0)]),
        Key::LegacySession(sid) => (Table::LegacySession, vec![Cell::bits(sid.0)]),
        Key::Sustained(sid, ino) => (Table::Sustained, vec![Cell::bits(sid.0), Cell::bits(ino.0)]),
        Key::DeletedFile(ino, length) => (Table::DeletedFile, vec![Cell::bits(ino.0), Cell::bits(*length)]),
        Key::FileLock(ino, sid, owner) => (Table::FileLock, lock(ino.0, sid.0, owner.0)),
        Key::RecordLocks(ino, sid, owner) => (Table::RecordLocks, lock(ino.0, sid.0, owner.0)),
        Key::DirStat(ino) => (Table::DirStat, vec![Cell::bits(ino.0)]),
        Key::Quota(QuotaKey::Directory(ino)) => (Table::DirectoryQuota, vec![Cell::bits(ino.0)]),
        Key::Quota(owner) => {
            let (kind, id) = owner_quota_key(*owner);
            (Table::OwnerQuota, vec![Cell::Int(kind), Cell::Int(id)])
        }
        Key::Detached(ino) => (Table::Detached, vec![Cell::bits(ino.0)]),
        Key::Acl(id) => (Table::Acl, vec![Cell::Int(id.0.into())]),
        Key::ChangelogLine(version) => (Table::Changelog, vec![Cell::bits(*version)]),
    }
}

/// `qtype` and `qkey` of a user or group quota; a directory has the numbers it would have there.
pub(crate) fn owner_quota_key(key: QuotaKey) -> (i64, i64) {
    match key {
        QuotaKey::Directory(ino) => (0, ino.0.cast_signed()),
        QuotaKey::User(uid) => (1, i64::from(uid.0)),
        QuotaKey::Group(gid) => (2, i64::from(gid.0)),
    }
}
