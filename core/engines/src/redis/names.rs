//! What keys, fields and members stand for.

use moorage_meta::{Key, Scan};
use moorage_model::{
    AclId, ChunkIndex, Error, ErrorKind, Gid, Ino, LockOwner, Name, QuotaKey, Result, SessionId, SliceId, Uid,
};
use redis::Value;

use super::cells::unexpected;

/// Length of a deleted file of an old client that did not note it.
const UNKNOWN_LENGTH: u64 = 1 << 30;

/// What a field stands for in the hash of a range ([`super::layout::Layout::hash_of`]).
pub(super) fn field_key(range: &Scan, field: &[u8]) -> Option<Key> {
    match range {
        Scan::Edges(directory) => Some(Key::Edge(*directory, Name::as_stored(field))),
        Scan::Xattrs(ino) => Some(Key::Xattr(*ino, field.to_vec())),
        Scan::FileLocks(ino) => lock_owner(field).map(|(sid, owner)| Key::FileLock(*ino, sid, owner)),
        Scan::RecordLocks(ino) => lock_owner(field).map(|(sid, owner)| Key::RecordLocks(*ino, sid, owner)),
        _ => None,
    }
}

/// The error for a key, field or member that stands for nothing.
pub(super) fn nameless(place: &[u8], name: &[u8]) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "{:?} in {} stands for no record",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(place)
        ),
    )
    .with_advice("Another program may use the same database; give the volume one of its own.")
}

pub(super) fn one(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn pair(text: &[u8], separator: char) -> Option<(u64, u64)> {
    let (first, second) = std::str::from_utf8(text).ok()?.split_once(separator)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

pub(super) fn slice_key(field: &[u8]) -> Option<Key> {
    let (id, size) = pair(field.strip_prefix(b"k")?, '_')?;
    Some(Key::SliceRef(SliceId(id), u32::try_from(size).ok()?))
}

pub(super) fn delayed_key(field: &[u8]) -> Option<Key> {
    let (id, deleted) = pair(field, '_')?;
    Some(Key::DelayedSlices(SliceId(id), i64::try_from(deleted).ok()?))
}

pub(super) fn acl_key(field: &[u8]) -> Option<Key> {
    Some(Key::Acl(AclId(u32::try_from(one(field)?).ok()?)))
}

/// The quota that a field is, in the hashes whose names begin with `kind`.
pub(super) fn quota_key(kind: &str, field: &[u8]) -> Option<Key> {
    let id = one(field)?;
    Some(Key::Quota(match kind {
        "dir" => QuotaKey::Directory(Ino(id)),
        "user" => QuotaKey::User(Uid(u32::try_from(id).ok()?)),
        _ => QuotaKey::Group(Gid(u32::try_from(id).ok()?)),
    }))
}

/// The chunk that the part of a key behind its letter is.
pub(super) fn chunk_key(rest: &[u8]) -> Option<Key> {
    let (ino, index) = pair(rest, '_')?;
    Some(Key::Chunk(Ino(ino), ChunkIndex(u32::try_from(index).ok()?)))
}

fn lock_owner(field: &[u8]) -> Option<(SessionId, LockOwner)> {
    let (sid, owner) = std::str::from_utf8(field).ok()?.split_once('_')?;
    Some((
        SessionId(sid.parse().ok()?),
        LockOwner(u64::from_str_radix(owner, 16).ok()?),
    ))
}

/// The locks that the member of a session's set names, without the hash tag.
pub(super) fn lock_range(table: &[u8]) -> Option<Scan> {
    match (table.strip_prefix(b"lockf"), table.strip_prefix(b"lockp")) {
        (Some(ino), _) => one(ino).map(|ino| Scan::FileLocks(Ino(ino))),
        (_, Some(ino)) => one(ino).map(|ino| Scan::RecordLocks(Ino(ino))),
        _ => None,
    }
}

/// Members of old clients have more or fewer parts (spec 30-redis section 2).
pub(super) fn deleted_file(member: &[u8]) -> Option<Key> {
    let parts: Vec<&str> = std::str::from_utf8(member).ok()?.split(':').collect();
    let ino = Ino(parts.first()?.parse().ok()?);
    let length = match parts.as_slice() {
        [_, length] | [_, _, length, ..] => length.parse().ok()?,
        _ => UNKNOWN_LENGTH,
    };
    Some(Key::DeletedFile(ino, length))
}

/// Cursor and items of an answer to SCAN or HSCAN.
pub(super) fn scanned(answer: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    match answer {
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            match (parts.next(), parts.next()) {
                (Some(Value::BulkString(cursor)), Some(items)) => Ok((cursor, strings(items)?)),
                (Some(other), _) => Err(unexpected(&other)),
                _ => Err(unexpected(&Value::Nil)),
            }
        }
        other => Err(unexpected(&other)),
    }
}

/// The texts of a list or set.
pub(super) fn strings(answer: Value) -> Result<Vec<Vec<u8>>> {
    match answer {
        Value::Nil => Ok(Vec::new()),
        Value::Array(items) | Value::Set(items) => items
            .into_iter()
            .map(|item| match item {
                Value::BulkString(bytes) => Ok(bytes),
                other => Err(unexpected(&other)),
            })
            .collect(),
        other => Err(unexpected(&other)),
    }
}
