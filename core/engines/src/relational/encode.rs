//! Values of records as columns.

use std::borrow::Cow;

use moorage_meta::{Key, Record};
use moorage_model::{
    AclRule, Attr, DelayedSlice, Error, ErrorKind, Ino, RecordLocks, Result, Timestamp, encode_slices,
};

use super::Cell;
use super::decode::decode_attributes;

/// The values of [`super::Table::values`] for a record.
///
/// # Errors
/// `InvalidArgument` when the key is of another kind than the record.
pub(crate) fn encode_value<'r>(key: &Key, record: &'r Record) -> Result<Vec<Cell<'r>>> {
    let owned = |bytes: Vec<u8>| Cell::Blob(Cow::Owned(bytes));
    Ok(match (key, record) {
        (Key::Setting, Record::Setting(text)) => vec![Cell::text(text.as_bytes())],
        (Key::Counter(_), Record::Counter(value)) => vec![Cell::Int(*value)],
        (Key::Node(ino), Record::Node(attr)) => encode_node(*ino, attr)
            .into_iter()
            .skip(1)
            .map(Cell::Int)
            .collect(),
        (Key::Edge(..), Record::Edge(entry)) => {
            vec![Cell::bits(entry.ino.0), Cell::Int(entry.kind.code().into())]
        }
        (Key::Symlink(_), Record::Symlink(target)) => vec![Cell::blob(target)],
        (Key::Xattr(..), Record::Xattr(value)) => vec![Cell::blob(value)],
        (Key::Chunk(..), Record::Chunk(slices)) => vec![owned(encode_slices(slices))],
        (Key::SliceRef(_, size), Record::Owners(owners)) => {
            vec![Cell::Int((*size).into()), Cell::Int(*owners)]
        }
        (Key::DelayedSlices(..), Record::DelayedSlices(slices)) => {
            vec![owned(DelayedSlice::encode_all(slices))]
        }
        (Key::Session(_), Record::Session(session)) => {
            vec![Cell::Int(session.expire), Cell::blob(session.info.as_bytes())]
        }
        (Key::LegacySession(_), Record::LegacySession(heartbeat)) => vec![Cell::Int(*heartbeat)],
        (Key::Sustained(..), Record::Sustained) => Vec::new(),
        (Key::DeletedFile(..), Record::DeletedFile(deleted)) => vec![Cell::Int(*deleted)],
        (Key::FileLock(..), Record::FileLock(kind)) => vec![Cell::Int(kind.letter().into())],
        (Key::RecordLocks(_, session, owner), Record::RecordLocks(ranges)) => {
            let locks = RecordLocks {
                session: *session,
                owner: *owner,
                ranges: ranges.clone(),
            };
            vec![owned(locks.encode_ranges())]
        }
        (Key::DirStat(_), Record::DirStat(stat)) => {
            [stat.length, stat.space, stat.inodes].map(Cell::Int).into()
        }
        (Key::Quota(_), Record::Quota(quota)) => [
            quota.max_space,
            quota.max_inodes,
            quota.used_space,
            quota.used_inodes,
        ]
        .map(Cell::Int)
        .into(),
        (Key::Detached(_), Record::Detached(added)) => vec![Cell::Int(*added)],
        (Key::Acl(_), Record::Acl(rule)) => [rule.owner, rule.group, rule.mask, rule.other]
            .map(|field| Cell::Int(field.into()))
            .into_iter()
            .chain([&rule.users, &rule.groups].map(|list| owned(AclRule::encode_entries(list))))
            .collect(),
        (Key::ChangelogLine(_), Record::ChangelogLine(line)) => vec![Cell::text(line.as_bytes())],
        (key, record) => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{key} can not hold {record:?}"),
            ));
        }
    })
}

/// The columns of a node in the order of [`super::NODE_COLUMNS`].
fn encode_node(ino: Ino, attr: &Attr) -> [i64; 19] {
    let times = [attr.atime, attr.mtime, attr.ctime].map(Timestamp::clamped_nanos);
    let [atime, mtime, ctime] = times.map(|nanos| (nanos / 1000, nanos % 1000));
    [
        ino.0.cast_signed(),
        i64::from(attr.kind.code()),
        i64::from(attr.flags.0),
        i64::from(attr.mode & 0o7777),
        i64::from(attr.uid.0),
        i64::from(attr.gid.0),
        atime.0,
        mtime.0,
        ctime.0,
        atime.1,
        mtime.1,
        ctime.1,
        i64::from(attr.nlink),
        attr.length.cast_signed(),
        i64::from(attr.rdev),
        attr.parent.0.cast_signed(),
        i64::from(attr.access_acl.0),
        i64::from(attr.default_acl.0),
        i64::from(attr.tier.0),
    ]
}

/// What a row that is written with these attributes reads as: times beyond what its columns hold are not the same.
///
/// # Errors
/// `Corrupt` when it could not be read.
pub(crate) fn as_stored(attr: &Attr) -> Result<Attr> {
    decode_attributes(encode_node(Ino::NONE, attr).as_slice(), 1)
}
