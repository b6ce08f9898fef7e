//! Rows as records. A damaged row is `Corrupt` and its record is named.

use moorage_meta::{DamagedRecord, DirectoryEntry, Key, Record, SessionRecord};
use moorage_model::{
    ACL_UNSET, AclId, AclRule, Attr, ChunkIndex, DelayedSlice, DirStat, Entry, Error, ErrorKind,
    FileLockKind, Flags, Gid, Ino, LockOwner, Name, NodeType, Quota, QuotaKey, RecordLocks, Result,
    SessionId, SliceId, TierId, Timestamp, Uid, check_length, decode_slices,
};

use super::{Cells, Table};
use crate::entries::{check_name, checked_name};

/// A row of a range.
pub(crate) type Decoded = Result<(Key, Record), DamagedRecord>;

/// A row with the columns of [`Table::key`], then of [`Table::values`]; a damaged one is no failure.
///
/// # Errors
/// Whatever is not damage.
pub(crate) fn decode(table: Table, row: &impl Cells) -> Result<Decoded> {
    let key = match decode_key(table, row) {
        Ok(key) => key,
        Err(error) => return damaged(None, error.context(format!("a row of table {}", table.name()))),
    };
    let record = check_name(&key).and_then(|()| decode_value(&key, row, table.key().len()));
    match record {
        Ok(record) => Ok(Ok((key, record))),
        Err(error) => damaged(Some(key), error),
    }
}

fn damaged(key: Option<Key>, error: Error) -> Result<Decoded> {
    if error.kind() == ErrorKind::Corrupt {
        Ok(Err(DamagedRecord { key, error }))
    } else {
        Err(error)
    }
}

/// The value of a record whose key is known; its columns start at `first`.
///
/// # Errors
/// `Corrupt` naming the record.
pub(crate) fn decode_value(key: &Key, row: &impl Cells, first: usize) -> Result<Record> {
    value(key, row, first).map_err(|error| {
        error
            .context(key)
            .with_advice("Run `moorage fsck` on the volume.")
    })
}

fn decode_key(table: Table, row: &impl Cells) -> Result<Key> {
    let ino = |column| row.unsigned(column).map(Ino);
    let session = |column| row.unsigned(column).map(SessionId);
    let owner = |column| row.unsigned(column).map(LockOwner);
    Ok(match table {
        Table::Setting => Key::Setting,
        Table::Counter => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "counters are read by name, not as a range",
            ));
        }
        Table::Node => Key::Node(ino(0)?),
        Table::Edge => {
            let parent = ino(0)?;
            Key::Edge(parent, Name::as_stored(row.bytes(1)?))
        }
        Table::Symlink => Key::Symlink(ino(0)?),
        Table::Xattr => Key::Xattr(ino(0)?, row.bytes(1)?.to_vec()),
        Table::Chunk => Key::Chunk(ino(0)?, ChunkIndex(small(row, 1, "chunk index")?)),
        Table::SliceRef => Key::SliceRef(SliceId(row.unsigned(0)?), small(row, 1, "slice size")?),
        Table::DelayedSlices => Key::DelayedSlices(SliceId(row.unsigned(0)?), row.signed(1)?),
        Table::Session => Key::Session(session(0)?),
        Table::LegacySession => Key::LegacySession(session(0)?),
        Table::Sustained => Key::Sustained(session(0)?, ino(1)?),
        Table::DeletedFile => Key::DeletedFile(ino(0)?, row.unsigned(1)?),
        Table::FileLock => Key::FileLock(ino(0)?, session(1)?, owner(2)?),
        Table::RecordLocks => Key::RecordLocks(ino(0)?, session(1)?, owner(2)?),
        Table::DirStat => Key::DirStat(ino(0)?),
        Table::DirectoryQuota => Key::Quota(QuotaKey::Directory(ino(0)?)),
        Table::OwnerQuota => Key::Quota(match row.signed(0)? {
            1 => QuotaKey::User(Uid(small(row, 1, "user id of a quota")?)),
            2 => QuotaKey::Group(Gid(small(row, 1, "group id of a quota")?)),
            other => return Err(out_of_range("kind of a quota", other)),
        }),
        Table::Detached => Key::Detached(ino(0)?),
        Table::Acl => Key::Acl(AclId(small(row, 0, "ACL id")?)),
        Table::Changelog => Key::ChangelogLine(row.unsigned(0)?),
    })
}

fn value(key: &Key, row: &impl Cells, first: usize) -> Result<Record> {
    let text = |column| -> Result<String> { Ok(String::from_utf8_lossy(row.bytes(column)?).into_owned()) };
    Ok(match key {
        Key::Setting => Record::Setting(text(first)?),
        Key::Counter(_) => Record::Counter(row.signed(first)?),
        Key::Node(_) => Record::Node(decode_attributes(row, first)?),
        Key::Edge(..) => Record::Edge(decode_entry(row, first)?),
        Key::Symlink(_) => Record::Symlink(row.bytes(first)?.to_vec()),
        Key::Xattr(..) => Record::Xattr(row.bytes(first)?.to_vec()),
        Key::Chunk(..) => Record::Chunk(decode_slices(row.bytes(first)?)?),
        Key::SliceRef(..) => Record::Owners(row.signed(first + 1)?),
        Key::DelayedSlices(..) => Record::DelayedSlices(DelayedSlice::decode_all(row.bytes(first)?)?),
        Key::Session(_) => Record::Session(SessionRecord {
            expire: row.signed(first)?,
            info: text(first + 1)?,
        }),
        Key::LegacySession(_) => Record::LegacySession(row.signed(first)?),
        Key::Sustained(..) => Record::Sustained,
        Key::DeletedFile(..) => Record::DeletedFile(row.signed(first)?),
        Key::FileLock(..) => {
            Record::FileLock(FileLockKind::from_letter(small(row, first, "kind of a lock")?)?)
        }
        Key::RecordLocks(..) => Record::RecordLocks(RecordLocks::decode_ranges(row.bytes(first)?)?),
        Key::DirStat(_) => Record::DirStat(DirStat {
            length: row.signed(first)?,
            space: row.signed(first + 1)?,
            inodes: row.signed(first + 2)?,
        }),
        Key::Quota(_) => Record::Quota(Quota {
            max_space: row.signed(first)?,
            max_inodes: row.signed(first + 1)?,
            used_space: row.signed(first + 2)?,
            used_inodes: row.signed(first + 3)?,
        }),
        Key::Detached(_) => Record::Detached(row.signed(first)?),
        Key::Acl(_) => Record::Acl(rule(row, first)?),
        Key::ChangelogLine(_) => Record::ChangelogLine(text(first)?),
    })
}

/// A node as a join shows it: the inode at `first`, its attributes behind; `None` when its row is missing.
///
/// # Errors
/// `Corrupt` naming the inode.
pub(crate) fn decode_node(row: &impl Cells, first: usize) -> Result<Option<Attr>> {
    if row.is_null(first)? {
        return Ok(None);
    }
    match decode_value(&Key::Node(Ino(row.unsigned(first)?)), row, first + 1)? {
        Record::Node(attr) => Ok(Some(attr)),
        _ => Ok(None),
    }
}

/// Inode and type of an entry.
///
/// # Errors
/// `Corrupt` for an unknown type.
pub(crate) fn decode_entry(row: &impl Cells, first: usize) -> Result<Entry> {
    Ok(Entry {
        ino: Ino(row.unsigned(first)?),
        kind: NodeType::from_code(small(row, first + 1, "type")?)?,
    })
}

/// A row of a listing: name, inode, type and, with `attributes`, the node.
///
/// # Errors
/// `Corrupt` for an entry that can not be read; a damaged node is told, since the others of the directory can be used
/// all the same.
pub(crate) fn decode_listed(directory: Ino, row: &impl Cells, attributes: bool) -> Result<DirectoryEntry> {
    let name = checked_name(directory, row.bytes(0)?)?;
    let entry = decode_entry(row, 1).map_err(|error| error.context(Key::Edge(directory, name.clone())))?;
    let node = if attributes { decode_node(row, 3) } else { Ok(None) };
    let (attr, damaged) = match node {
        Ok(attr) => (attr, false),
        Err(error) if error.kind() == ErrorKind::Corrupt => (None, true),
        Err(error) => return Err(error),
    };
    Ok(DirectoryEntry {
        name,
        entry,
        attr,
        damaged,
    })
}

/// Attributes from the columns behind the inode.
pub(super) fn decode_attributes(row: &(impl Cells + ?Sized), first: usize) -> Result<Attr> {
    let time = |micros: usize, rest: usize| -> Result<Timestamp> {
        Ok(timestamp(row.signed(first + micros)?, row.signed(first + rest)?))
    };
    let length = row.unsigned(first + 12)?;
    check_length(length)?;
    Ok(Attr {
        kind: NodeType::from_code(small(row, first, "type")?)?,
        flags: Flags(small(row, first + 1, "flags")?),
        mode: small::<u16>(row, first + 2, "mode")? & 0o7777,
        uid: Uid(small(row, first + 3, "uid")?),
        gid: Gid(small(row, first + 4, "gid")?),
        atime: time(5, 8)?,
        mtime: time(6, 9)?,
        ctime: time(7, 10)?,
        nlink: small(row, first + 11, "nlink")?,
        length,
        rdev: small(row, first + 13, "rdev")?,
        parent: Ino(row.unsigned(first + 14)?),
        access_acl: AclId(small(row, first + 15, "access_acl_id")?),
        default_acl: AclId(small(row, first + 16, "default_acl_id")?),
        tier: TierId(small(row, first + 17, "tier_id")?),
    })
}

/// Seconds and nanoseconds from microseconds and the remaining nanoseconds (spec 20-model section 3).
fn timestamp(micros: i64, rest: i64) -> Timestamp {
    // The original lets times after 2262 wrap to negative numbers; the kernel caps their nanoseconds likewise.
    let nanoseconds = ((micros % 1_000_000).wrapping_mul(1000).wrapping_add(rest)) as u32;
    Timestamp::new(micros / 1_000_000, nanoseconds.min(999_999_999))
}

fn rule(row: &impl Cells, first: usize) -> Result<AclRule> {
    let field = |column: usize| -> Result<u16> {
        if row.is_null(column)? {
            Ok(ACL_UNSET)
        } else {
            small(row, column, "permissions")
        }
    };
    Ok(AclRule {
        owner: field(first)?,
        group: field(first + 1)?,
        mask: field(first + 2)?,
        other: field(first + 3)?,
        users: AclRule::decode_entries(row.bytes(first + 4)?)?,
        groups: AclRule::decode_entries(row.bytes(first + 5)?)?,
    })
}

fn small<T: TryFrom<i64>>(row: &(impl Cells + ?Sized), column: usize, what: &str) -> Result<T> {
    let value = row.signed(column)?;
    T::try_from(value).map_err(|_| out_of_range(what, value))
}

fn out_of_range(what: &str, value: i64) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what} {value} is out of range"))
}
