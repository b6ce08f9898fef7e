//! POSIX locks of one owner: what decodes survives a second round, and stays in order when a lock is set over it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::{LockOwner, RecordLock, RecordLockKind, RecordLocks, SessionId};

fuzz_target!(|bytes: &[u8]| {
    let Ok(ranges) = RecordLocks::decode_ranges(bytes) else {
        return;
    };
    let mut locks = RecordLocks {
        session: SessionId(1),
        owner: LockOwner(1),
        ranges,
    };
    let again = RecordLocks::decode_ranges(&locks.encode_ranges());
    assert_eq!(again.ok().as_ref(), Some(&locks.ranges));
    let Some(RecordLock { pid, start, end, .. }) = locks.ranges.last().copied() else {
        return;
    };
    for kind in [Some(RecordLockKind::Write), None] {
        locks.set(kind, pid, start, end);
        assert!(locks.ranges.is_sorted_by_key(|range| range.start));
    }
});
