//! The locks of one inode share a value: one element per owner (spec 50-tkv section 4).

use std::collections::BTreeMap;

use moorage_meta::{Key, Record};
use moorage_model::{
    Error, ErrorKind, FileLockKind, Ino, LockOwner, RecordLock, RecordLocks, Result, SessionId,
};

/// Who holds locks.
type Holder = (SessionId, LockOwner);

/// The BSD lock of one owner.
///
/// # Errors
/// `Corrupt` when the value can not be read.
pub(super) fn file_lock(value: &[u8], sid: SessionId, owner: LockOwner) -> Result<Option<Record>> {
    Ok(file_locks(value)?.remove(&(sid, owner)).map(Record::FileLock))
}

/// The POSIX locks of one owner.
///
/// # Errors
/// `Corrupt` when the value can not be read.
pub(super) fn record_locks(value: &[u8], sid: SessionId, owner: LockOwner) -> Result<Option<Record>> {
    let ranges = all_record_locks(value)?.remove(&(sid, owner));
    Ok(ranges.map(Record::RecordLocks))
}

/// Every BSD lock of an inode as records, in the order of their keys.
///
/// # Errors
/// `Corrupt` when the value can not be read.
pub(super) fn of_files(ino: Ino, value: &[u8]) -> Result<Vec<(Key, Record)>> {
    let locks = file_locks(value)?.into_iter();
    Ok(locks
        .map(|((sid, owner), kind)| (Key::FileLock(ino, sid, owner), Record::FileLock(kind)))
        .collect())
}

/// Every owner's POSIX locks of an inode as records, in the order of their keys.
///
/// # Errors
/// `Corrupt` when the value can not be read.
pub(super) fn of_records(ino: Ino, value: &[u8]) -> Result<Vec<(Key, Record)>> {
    let locks = all_record_locks(value)?.into_iter();
    Ok(locks
        .map(|((sid, owner), ranges)| (Key::RecordLocks(ino, sid, owner), Record::RecordLocks(ranges)))
        .collect())
}

/// The value with the locks of one owner replaced, or removed; empty when no lock is left. `None` for a record that is
/// no lock of this kind.
///
/// # Errors
/// `Corrupt` when the value can not be read.
pub(super) fn replace(value: &[u8], key: &Key, record: Option<&Record>) -> Result<Option<Vec<u8>>> {
    let mut stored = Vec::new();
    match (key, record) {
        (Key::FileLock(_, sid, owner), None | Some(Record::FileLock(_))) => {
            let mut locks = file_locks(value)?;
            match record {
                Some(Record::FileLock(kind)) => locks.insert((*sid, *owner), *kind),
                _ => locks.remove(&(*sid, *owner)),
            };
            for ((sid, owner), kind) in locks {
                stored.extend(sid.0.to_be_bytes());
                stored.extend(owner.0.to_be_bytes());
                stored.push(kind.letter());
            }
        }
        (Key::RecordLocks(_, sid, owner), None | Some(Record::RecordLocks(_))) => {
            let mut locks = all_record_locks(value)?;
            match record {
                Some(Record::RecordLocks(ranges)) => locks.insert((*sid, *owner), ranges.clone()),
                _ => locks.remove(&(*sid, *owner)),
            };
            for ((session, owner), ranges) in locks {
                let ranges = RecordLocks {
                    session,
                    owner,
                    ranges,
                }
                .encode_ranges();
                let length = u32::try_from(ranges.len())
                    .map_err(|_| Error::new(ErrorKind::NoSpace, format!("{key}: too many ranges")))?;
                stored.extend(session.0.to_be_bytes());
                stored.extend(owner.0.to_be_bytes());
                stored.extend(length.to_be_bytes());
                stored.extend(ranges);
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(stored))
}

fn file_locks(mut value: &[u8]) -> Result<BTreeMap<Holder, FileLockKind>> {
    let mut locks = BTreeMap::new();
    while !value.is_empty() {
        let holder = holder(&mut value)?;
        let (letter, rest) = value.split_first().ok_or_else(cut)?;
        locks.insert(holder, FileLockKind::from_letter(*letter)?);
        value = rest;
    }
    Ok(locks)
}

fn all_record_locks(mut value: &[u8]) -> Result<BTreeMap<Holder, Vec<RecordLock>>> {
    let mut locks = BTreeMap::new();
    while !value.is_empty() {
        let holder = holder(&mut value)?;
        let (length, rest) = value.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
        let (ranges, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        locks.insert(holder, RecordLocks::decode_ranges(ranges)?);
        value = rest;
    }
    Ok(locks)
}

fn holder(value: &mut &[u8]) -> Result<Holder> {
    let (sid, rest) = value.split_first_chunk::<8>().ok_or_else(cut)?;
    let (owner, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
    *value = rest;
    Ok((
        SessionId(u64::from_be_bytes(*sid)),
        LockOwner(u64::from_be_bytes(*owner)),
    ))
}

fn cut() -> Error {
    Error::new(ErrorKind::Corrupt, "the list of locks ends inside a lock")
}

#[cfg(test)]
mod tests {
    use moorage_model::RecordLockKind;

    use super::*;

    /// The vector of spec 50-tkv section 4.
    #[test]
    fn a_bsd_lock_is_stored_as_the_format_says() {
        let key = Key::FileLock(Ino(1), SessionId(7), LockOwner(0x00ab_cdef));
        let lock = Record::FileLock(FileLockKind::Exclusive);
        let value = replace(b"", &key, Some(&lock)).unwrap().unwrap();
        assert_eq!(value, b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\xab\xcd\xefW");
        assert_eq!(of_files(Ino(1), &value).unwrap(), [(key, lock)]);
    }

    #[test]
    fn an_owner_changes_its_own_locks_and_an_empty_list_is_left_by_the_last() {
        let key = |owner| Key::RecordLocks(Ino(1), SessionId(7), LockOwner(owner));
        let lock = |end| {
            Record::RecordLocks(vec![RecordLock {
                kind: RecordLockKind::Write,
                pid: 5,
                start: 0,
                end,
            }])
        };
        let one = replace(b"", &key(1), Some(&lock(9))).unwrap().unwrap();
        let two = replace(&one, &key(2), Some(&lock(20))).unwrap().unwrap();
        assert_eq!(
            of_records(Ino(1), &two).unwrap(),
            [(key(1), lock(9)), (key(2), lock(20))]
        );
        let left = replace(&two, &key(1), None).unwrap().unwrap();
        assert_eq!(of_records(Ino(1), &left).unwrap(), [(key(2), lock(20))]);
        assert_eq!(replace(&left, &key(2), None).unwrap().unwrap(), b"");
    }

    #[test]
    fn a_list_that_ends_inside_a_lock_is_damage_and_is_not_written_over() {
        let key = Key::FileLock(Ino(1), SessionId(7), LockOwner(1));
        for value in [&b"\0"[..], &[0; 16], &[b'W'; 20]] {
            let lock = Record::FileLock(FileLockKind::Shared);
            assert_eq!(
                replace(value, &key, Some(&lock)).unwrap_err().kind(),
                ErrorKind::Corrupt
            );
            assert_eq!(of_files(Ino(1), value).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        let endless = [&[0; 16][..], &u32::MAX.to_be_bytes()].concat();
        assert_eq!(
            of_records(Ino(1), &endless).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
}
