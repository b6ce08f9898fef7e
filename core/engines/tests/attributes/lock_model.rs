//! POSIX locks against a model of bytes locked one by one.

use moorage_engines::SeededFaults;
use moorage_model::{Ino, LockOwner, RecordLock, RecordLockKind};
use proptest::prelude::*;

use crate::locks::{READ, WRITE, lock, range};
use crate::volume::{Volume, on_each_engine, unchanged};

/// Bytes of the reference model.
const BYTES: usize = 12;

#[derive(Clone, Copy, Debug)]
struct Step {
    owner: u64,
    kind: Option<RecordLockKind>,
    start: usize,
    end: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(None), Just(READ), Just(WRITE)];
    let step = (0..3_u64, kind, 0..BYTES, 0..BYTES).prop_map(|(owner, kind, one, two)| Step {
        owner,
        kind,
        start: one.min(two),
        end: one.max(two),
    });
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ranges_are_granted_as_byte_by_byte_locks_would_be(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_each_engine(unchanged, |volume| agrees_with_bytes(volume, steps.clone())));
    }
}

async fn agrees_with_bytes(volume: Volume, steps: Vec<Step>) {
    let file = volume.file(Ino::ROOT, "f").await;
    let mut faults = SeededFaults::new(1);
    faults.conflicts = 300;
    volume.set_faults(faults);
    // What each owner holds of each byte.
    let mut model = [[None; BYTES]; 3];
    for step in steps {
        let free = step.kind.is_none_or(|wanted| {
            (0..3).filter(|owner| *owner != step.owner as usize).all(|owner| {
                model[owner][step.start..=step.end]
                    .iter()
                    .flatten()
                    .all(|held| *held == RecordLockKind::Read && wanted == RecordLockKind::Read)
            })
        });
        let request = range(step.kind, step.start as u64, step.end as u64);
        let answer = lock(&volume.meta, file, LockOwner(step.owner), request).await;
        assert_eq!(answer.is_ok(), free, "{step:?}");
        if free {
            model[step.owner as usize][step.start..=step.end].fill(step.kind);
        }
    }
    for (owner, bytes) in model.iter().enumerate() {
        for (byte, held) in bytes.iter().enumerate() {
            let probe = RecordLock {
                kind: RecordLockKind::Write,
                pid: 0,
                start: byte as u64,
                end: byte as u64,
            };
            // The owner itself sees only what others hold; one that holds nothing sees everything.
            let seen_by_all = volume
                .meta
                .record_lock_get(file, LockOwner(9), probe)
                .await
                .unwrap();
            let any = model.iter().any(|bytes| bytes[byte].is_some());
            assert_eq!(seen_by_all.is_some(), any);
            let seen = volume
                .meta
                .record_lock_get(file, LockOwner(owner as u64), probe)
                .await
                .unwrap();
            let others = (0..3).any(|other| other != owner && model[other][byte].is_some());
            assert_eq!(
                seen.is_some(),
                others,
                "byte {byte} of owner {owner}, which holds {held:?}"
            );
        }
    }
}
