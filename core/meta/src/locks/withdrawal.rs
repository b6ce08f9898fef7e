//! Taking a granted range back.

use moorage_model::{RecordLock, RecordLockKind};

use super::LockRequest;

/// What takes back a granted request as far as that weakens locks: bytes that were free are unlocked, bytes that were
/// locked for reading are so again. `previous` is in order.
pub(super) fn withdrawal(granted: &LockRequest, previous: &[RecordLock]) -> Vec<LockRequest> {
    let mut steps = Vec::new();
    let mut next = granted.start;
    let unlock = |start: u64, end: u64| LockRequest {
        kind: None,
        pid: granted.pid,
        start,
        end,
    };
    let overlapping = previous
        .iter()
        .filter(|range| range.start <= granted.end && granted.start <= range.end);
    for range in overlapping {
        if range.start > next {
            steps.push(unlock(next, range.start - 1));
        }
        if range.kind == RecordLockKind::Read && granted.kind == Some(RecordLockKind::Write) {
            steps.push(LockRequest {
                kind: Some(RecordLockKind::Read),
                pid: range.pid,
                start: range.start.max(granted.start),
                end: range.end.min(granted.end),
            });
        }
        next = range.end.saturating_add(1);
    }
    if next <= granted.end && granted.kind.is_some() {
        steps.push(unlock(next, granted.end));
    }
    steps
}

#[cfg(test)]
mod tests {
    use moorage_model::{LockOwner, RecordLocks, SessionId};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BYTES: u64 = 16;

    fn requests() -> impl Strategy<Value = LockRequest> {
        let kind = prop_oneof![
            Just(None),
            Just(Some(RecordLockKind::Read)),
            Just(Some(RecordLockKind::Write))
        ];
        (kind, 1..3_u32, 0..BYTES, 0..BYTES).prop_map(|(kind, pid, one, two)| LockRequest {
            kind,
            pid,
            start: one.min(two),
            end: one.max(two),
        })
    }

    fn apply(locks: &mut RecordLocks, request: &LockRequest) {
        locks.set(request.kind, request.pid, request.start, request.end);
    }

    fn kind_at(ranges: &[RecordLock], byte: u64) -> Option<RecordLockKind> {
        let found = ranges
            .iter()
            .find(|range| range.start <= byte && byte <= range.end);
        found.map(|range| range.kind)
    }

    proptest! {
        #[test]
        fn a_grant_taken_back_leaves_each_byte_as_it_was_or_weaker(
            earlier in vec(requests(), 0..8),
            granted in requests(),
        ) {
            let mut locks = RecordLocks { session: SessionId(1), owner: LockOwner(1), ranges: Vec::new() };
            for request in &earlier {
                apply(&mut locks, request);
            }
            let previous = locks.ranges.clone();
            apply(&mut locks, &granted);
            let held = locks.ranges.clone();
            for step in withdrawal(&granted, &previous) {
                apply(&mut locks, &step);
            }
            for byte in 0..BYTES {
                let expected = match (kind_at(&previous, byte), kind_at(&held, byte)) {
                    (None, _) | (_, None) => None,
                    (Some(RecordLockKind::Write), Some(RecordLockKind::Write)) => Some(RecordLockKind::Write),
                    _ => Some(RecordLockKind::Read),
                };
                prop_assert_eq!(kind_at(&locks.ranges, byte), expected, "byte {}", byte);
            }
        }
    }
}
