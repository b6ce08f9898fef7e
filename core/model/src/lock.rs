//! BSD and POSIX locks (spec 20-model section 9).

use crate::attr::take;
use crate::{Error, ErrorKind, LockOwner, Result, SessionId};

/// Kind of a BSD lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLockKind {
    /// Letter `R`.
    Shared,
    /// Letter `W`.
    Exclusive,
}

impl FileLockKind {
    /// The stored letter.
    pub fn letter(self) -> u8 {
        match self {
            FileLockKind::Shared => b'R',
            FileLockKind::Exclusive => b'W',
        }
    }

    /// From the stored letter.
    ///
    /// # Errors
    /// `Corrupt` for other letters.
    pub fn from_letter(letter: u8) -> Result<Self> {
        match letter {
            b'R' => Ok(FileLockKind::Shared),
            b'W' => Ok(FileLockKind::Exclusive),
            other => Err(Error::new(
                ErrorKind::Corrupt,
                format!("BSD lock of kind {other}"),
            )),
        }
    }
}

/// One BSD lock on an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLock {
    /// Session that holds it.
    pub session: SessionId,
    /// Owner inside the session.
    pub owner: LockOwner,
    /// Kind.
    pub kind: FileLockKind,
}

/// Kind of a POSIX lock; a Linux client stores 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordLockKind {
    /// F_RDLCK.
    Read,
    /// F_WRLCK.
    Write,
}

/// One locked range: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLock {
    /// Kind.
    pub kind: RecordLockKind,
    /// Process that asked for it, on its own machine.
    pub pid: u32,
    /// First byte.
    pub start: u64,
    /// Last byte, inclusive; [`RecordLock::TO_END`] is "to end of file".
    pub end: u64,
}

impl RecordLock {
    /// The inclusive end that means "to end of file".
    pub const TO_END: u64 = 0x7FFF_FFFF_FFFF_FFFF;
    /// Bytes of an encoded record.
    pub const BYTES: usize = 24;

    /// Whether the two ranges share a byte and at least one is a write lock.
    pub fn conflicts(&self, other: &RecordLock) -> bool {
        self.start <= other.end
            && other.start <= self.end
            && (self.kind == RecordLockKind::Write || other.kind == RecordLockKind::Write)
    }
}

/// All POSIX locks of one owner on one inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLocks {
    /// Session that holds them.
    pub session: SessionId,
    /// Owner inside the session.
    pub owner: LockOwner,
    /// Ordered, non-overlapping ranges.
    pub ranges: Vec<RecordLock>,
}

impl RecordLocks {
    /// The ranges as stored.
    pub fn encode_ranges(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.ranges.len() * RecordLock::BYTES);
        for range in &self.ranges {
            let kind: u32 = match range.kind {
                RecordLockKind::Read => 0,
                RecordLockKind::Write => 1,
            };
            out.extend(kind.to_be_bytes());
            out.extend(range.pid.to_be_bytes());
            out.extend(range.start.to_be_bytes());
            out.extend(range.end.to_be_bytes());
        }
        out
    }

    /// Reads stored ranges. Type numbers of other platforms (2 and 3) count as write locks, the safe side.
    ///
    /// # Errors
    /// `Corrupt` when the length is no multiple of 24.
    pub fn decode_ranges(mut bytes: &[u8]) -> Result<Vec<RecordLock>> {
        if !bytes.len().is_multiple_of(RecordLock::BYTES) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("POSIX lock record of {} bytes", bytes.len()),
            ));
        }
        let input = &mut bytes;
        let mut out = Vec::with_capacity(input.len() / RecordLock::BYTES);
        while let (Some(kind), Some(pid), Some(start), Some(end)) = (
            take::<4>(input),
            take::<4>(input),
            take::<8>(input),
            take::<8>(input),
        ) {
            let kind = match u32::from_be_bytes(kind) {
                0 => RecordLockKind::Read,
                _ => RecordLockKind::Write,
            };
            out.push(RecordLock {
                kind,
                pid: u32::from_be_bytes(pid),
                start: u64::from_be_bytes(start),
                end: u64::from_be_bytes(end),
            });
        }
        Ok(out)
    }

    /// Replaces `range` by a lock of `kind`, or by nothing, splitting and merging neighbours
    /// (spec 20-model section 9: adjacent ranges with the same type and pid are merged).
    pub fn set(&mut self, kind: Option<RecordLockKind>, pid: u32, start: u64, end: u64) {
        let mut out: Vec<RecordLock> = Vec::with_capacity(self.ranges.len() + 2);
        for old in self.ranges.drain(..) {
            if old.end < start || old.start > end {
                out.push(old);
                continue;
            }
            if old.start < start {
                out.push(RecordLock {
                    end: start - 1,
                    ..old
                });
            }
            if old.end > end {
                out.push(RecordLock {
                    start: end + 1,
                    ..old
                });
            }
        }
        if let Some(kind) = kind {
            out.push(RecordLock {
                kind,
                pid,
                start,
                end,
            });
        }
        out.sort_by_key(|range| range.start);
        for range in out {
            match self.ranges.last_mut() {
                Some(last)
                    if last.kind == range.kind
                        && last.pid == range.pid
                        && last.end.checked_add(1) == Some(range.start) =>
                {
                    last.end = range.end;
                }
                _ => self.ranges.push(range),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bytes of the reference model; ranges to the end of the file reach beyond.
    const BYTES: u64 = 24;

    #[derive(Clone, Copy, Debug)]
    struct Request {
        kind: Option<RecordLockKind>,
        pid: u32,
        start: u64,
        end: u64,
    }

    prop_compose! {
        fn requests()(
            kind in prop_oneof![Just(None), Just(Some(RecordLockKind::Read)), Just(Some(RecordLockKind::Write))],
            pid in 1..3_u32,
            start in 0..BYTES,
            length in 0..BYTES,
            to_end in prop::bool::weighted(0.1),
        ) -> Request {
            let end = if to_end { RecordLock::TO_END } else { (start + length).min(BYTES - 1) };
            Request { kind, pid, start, end }
        }
    }

    fn empty() -> RecordLocks {
        RecordLocks {
            session: SessionId(1),
            owner: LockOwner(2),
            ranges: Vec::new(),
        }
    }

    /// What each byte is locked with; the last element stands for everything behind.
    fn byte_by_byte(ranges: &[RecordLock]) -> Vec<Option<(RecordLockKind, u32)>> {
        let lock_at = |byte: u64| {
            ranges
                .iter()
                .find(|range| range.start <= byte && byte <= range.end)
                .map(|range| (range.kind, range.pid))
        };
        (0..BYTES).chain([1 << 40]).map(lock_at).collect()
    }

    proptest! {
        #[test]
        fn ranges_split_and_merge_as_bytes_locked_one_by_one(requests in vec(requests(), 1..20)) {
            let mut locks = empty();
            let mut model = vec![None; BYTES as usize + 1];
            for request in requests {
                locks.set(request.kind, request.pid, request.start, request.end);
                let positions = (0..BYTES).chain([1 << 40]);
                for (slot, byte) in model.iter_mut().zip(positions) {
                    if request.start <= byte && byte <= request.end {
                        *slot = request.kind.map(|kind| (kind, request.pid));
                    }
                }
                prop_assert_eq!(&byte_by_byte(&locks.ranges), &model);
                for (left, right) in locks.ranges.iter().zip(locks.ranges.iter().skip(1)) {
                    prop_assert!(left.end < right.start);
                    let touching = left.end + 1 == right.start;
                    prop_assert!(!touching || (left.kind, left.pid) != (right.kind, right.pid));
                }
                let stored = locks.encode_ranges();
                prop_assert_eq!(&RecordLocks::decode_ranges(&stored).unwrap(), &locks.ranges);
            }
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..100)) {
            let _ = RecordLocks::decode_ranges(&bytes);
        }
    }

    #[test]
    fn the_whole_file_can_be_locked_and_unlocked() {
        let mut locks = empty();
        locks.set(Some(RecordLockKind::Write), 7, 0, RecordLock::TO_END);
        locks.set(None, 7, 0, RecordLock::TO_END);
        assert_eq!(locks.ranges, []);
        locks.set(Some(RecordLockKind::Read), 7, u64::MAX, u64::MAX);
        locks.set(None, 7, 0, u64::MAX);
        assert_eq!(locks.ranges, []);
    }

    #[test]
    fn a_stored_range_has_the_bytes_of_the_format() {
        let mut locks = empty();
        locks.set(Some(RecordLockKind::Write), 4321, 0, 99);
        let golden = [
            0, 0, 0, 1, 0, 0, 0x10, 0xE1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x63,
        ];
        assert_eq!(locks.encode_ranges(), golden);
    }
}
