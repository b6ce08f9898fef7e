//! Values of records (spec 50-tkv sections 2 to 4).

use moorage_meta::{Key, Record, SessionRecord};
use moorage_model::{
    AclRule, Attr, Counter, DelayedSlice, DirStat, Entry, Error, ErrorKind, Quota, Result, decode_slices,
    encode_slices,
};

use super::locks;

/// What to do about a damaged record.
pub(super) const DAMAGE_ADVICE: &str = "Run `moorage fsck` on the volume.";

/// Counters that are set to unix seconds; the others are changed by adding.
fn is_guard(counter: Counter) -> bool {
    matches!(
        counter,
        Counter::NextCleanupSlices
            | Counter::LastCleanupSessions
            | Counter::LastCleanupFiles
            | Counter::LastCleanupTrash
            | Counter::LastCleanupChangelog
    )
}

/// The record that the values of its keys make; `None` when it does not exist. An empty value is none: other clients
/// read it so.
///
/// # Errors
/// `Corrupt` naming the record.
pub(super) fn decode(key: &Key, values: &[Option<&[u8]>]) -> Result<Option<Record>> {
    let present = |place: usize| {
        values
            .get(place)
            .copied()
            .flatten()
            .filter(|value| !value.is_empty())
    };
    let Some(first) = present(0) else {
        return Ok(None);
    };
    record(key, first, present(1)).map_err(|error| error.context(key).with_advice(DAMAGE_ADVICE))
}

fn record(key: &Key, first: &[u8], second: Option<&[u8]>) -> Result<Option<Record>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(match key {
        Key::Setting => Record::Setting(text(first)),
        Key::Counter(counter) if is_guard(*counter) => Record::Counter(big(first)?),
        Key::Counter(_) => Record::Counter(little(first)?),
        Key::Node(_) => Record::Node(Attr::decode(first)?),
        Key::Edge(..) => Record::Edge(Entry::decode(first)?),
        Key::Symlink(_) => Record::Symlink(first.to_vec()),
        Key::Xattr(..) => Record::Xattr(first.to_vec()),
        Key::Chunk(..) => Record::Chunk(decode_slices(first)?),
        Key::SliceRef(..) => Record::Owners(little(first)?.saturating_add(1)),
        Key::DelayedSlices(..) => Record::DelayedSlices(DelayedSlice::decode_all(first)?),
        Key::Session(_) => Record::Session(SessionRecord {
            expire: big(first)?,
            info: second.map(text).unwrap_or_default(),
        }),
        Key::LegacySession(_) => Record::LegacySession(big(first)?),
        Key::Sustained(..) => Record::Sustained,
        Key::DeletedFile(..) => Record::DeletedFile(big(first)?),
        Key::FileLock(_, sid, owner) => return locks::file_lock(first, *sid, *owner),
        Key::RecordLocks(_, sid, owner) => return locks::record_locks(first, *sid, *owner),
        Key::DirStat(_) => {
            let [length, space, inodes] = numbers(first)?;
            Record::DirStat(DirStat {
                length,
                space,
                inodes,
            })
        }
        Key::Quota(_) => {
            let [max_space, max_inodes, used_space, used_inodes] = numbers(first)?;
            Record::Quota(Quota {
                max_space,
                max_inodes,
                used_space,
                used_inodes,
            })
        }
        Key::Detached(_) => Record::Detached(big(first)?),
        Key::Acl(_) => Record::Acl(AclRule::decode(first)?),
        Key::ChangelogLine(_) => Record::ChangelogLine(text(first)),
    }))
}

/// The values of the keys of a record; an empty one is not stored. Locks are stored with those of other owners, see
/// [`locks::replace`].
///
/// # Errors
/// `InvalidArgument` for an empty extended attribute or symlink, which other clients could not read, and for a record
/// that is not of the kind that its key names.
pub(super) fn encode(key: &Key, record: &Record) -> Result<Vec<Vec<u8>>> {
    let one = match (key, record) {
        (Key::Setting, Record::Setting(text)) => text.clone().into_bytes(),
        (Key::Counter(counter), Record::Counter(value)) if is_guard(*counter) => value.to_be_bytes().into(),
        (Key::Counter(_), Record::Counter(value)) => value.to_le_bytes().into(),
        (Key::Node(_), Record::Node(attr)) => attr.encode(),
        (Key::Edge(..), Record::Edge(entry)) => entry.encode().into(),
        (Key::Symlink(_), Record::Symlink(value)) | (Key::Xattr(..), Record::Xattr(value)) => {
            if value.is_empty() {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{key}: TiKV holds no empty value"),
                ));
            }
            value.clone()
        }
        (Key::Chunk(..), Record::Chunk(slices)) => encode_slices(slices),
        (Key::SliceRef(..), Record::Owners(owners)) => owners.saturating_sub(1).to_le_bytes().into(),
        (Key::DelayedSlices(..), Record::DelayedSlices(slices)) => DelayedSlice::encode_all(slices),
        (Key::Session(_), Record::Session(session)) => {
            return Ok(vec![
                session.expire.to_be_bytes().into(),
                session.info.clone().into_bytes(),
            ]);
        }
        (Key::LegacySession(_), Record::LegacySession(seconds))
        | (Key::DeletedFile(..), Record::DeletedFile(seconds))
        | (Key::Detached(_), Record::Detached(seconds)) => seconds.to_be_bytes().into(),
        (Key::Sustained(..), Record::Sustained) => vec![1],
        (Key::DirStat(_), Record::DirStat(stat)) => {
            let numbers = [stat.length, stat.space, stat.inodes];
            numbers.map(i64::to_be_bytes).concat()
        }
        (Key::Quota(_), Record::Quota(quota)) => {
            let numbers = [
                quota.max_space,
                quota.max_inodes,
                quota.used_space,
                quota.used_inodes,
            ];
            numbers.map(i64::to_be_bytes).concat()
        }
        (Key::Acl(_), Record::Acl(rule)) => rule.encode(),
        (Key::ChangelogLine(_), Record::ChangelogLine(line)) => line.clone().into_bytes(),
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{key} can not hold that: {record:?}"),
            ));
        }
    };
    Ok(vec![one])
}

/// A number that is changed by adding.
pub(super) fn little(bytes: &[u8]) -> Result<i64> {
    fixed(bytes).map(i64::from_le_bytes)
}

fn big(bytes: &[u8]) -> Result<i64> {
    fixed(bytes).map(i64::from_be_bytes)
}

fn fixed(bytes: &[u8]) -> Result<[u8; 8]> {
    bytes.try_into().map_err(|_| {
        Error::new(
            ErrorKind::Corrupt,
            format!("a number of {} bytes instead of 8", bytes.len()),
        )
    })
}

fn numbers<const N: usize>(bytes: &[u8]) -> Result<[i64; N]> {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: Option<&[[u8; 8]; N]> = words.try_into().ok();
    match words {
        Some(words) if rest.is_empty() => Ok(words.map(i64::from_be_bytes)),
        _ => Err(Error::new(
            ErrorKind::Corrupt,
            format!("{} bytes instead of {N} numbers of 8 bytes", bytes.len()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::{Ino, QuotaKey, SliceId, Uid};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors of spec 50-tkv sections 2 and 3.
    #[test]
    fn values_are_those_of_the_format() {
        let quota = Quota {
            max_space: -1,
            max_inodes: 100,
            used_space: 4096,
            used_inodes: 1,
        };
        for (key, record, expected) in [
            (
                Key::SliceRef(SliceId(0x1234), 131_072),
                Record::Owners(0),
                "ffffffffffffffff",
            ),
            (
                Key::DeletedFile(Ino(1025), 12_345),
                Record::DeletedFile(0x6553_f100),
                "000000006553f100",
            ),
            (
                Key::DelayedSlices(SliceId(0x1235), 0x6553_f100),
                Record::DelayedSlices(vec![DelayedSlice {
                    id: SliceId(0x1234),
                    size: 131_072,
                }]),
                "000000000000123400020000",
            ),
            (
                Key::Quota(QuotaKey::User(Uid(1000))),
                Record::Quota(quota),
                "ffffffffffffffff000000000000006400000000000010000000000000000001",
            ),
            (
                Key::Counter(Counter::NextInode),
                Record::Counter(2),
                "0200000000000000",
            ),
            (
                Key::Counter(Counter::LastCleanupTrash),
                Record::Counter(0x6553_f100),
                "000000006553f100",
            ),
        ] {
            let stored = encode(&key, &record).unwrap().remove(0);
            assert_eq!(hex(&stored), expected, "{key}");
            assert_eq!(decode(&key, &[Some(&stored)]).unwrap(), Some(record));
        }
    }

    #[test]
    fn an_empty_value_is_none_and_is_not_stored() {
        let key = Key::Xattr(Ino(7), b"user.a".to_vec());
        assert_eq!(decode(&key, &[Some(b"")]).unwrap(), None);
        let refused = encode(&key, &Record::Xattr(Vec::new())).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_value_of_another_length_is_damage_that_names_the_record() {
        for key in [
            Key::Counter(Counter::NextChunk),
            Key::DirStat(Ino(3)),
            Key::Node(Ino(3)),
            Key::Quota(QuotaKey::Directory(Ino(3))),
        ] {
            let error = decode(&key, &[Some(b"12345")]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{key}");
            assert!(error.to_string().contains(&key.to_string()), "{error}");
        }
    }
}
