//! What the engine of pairs says, in the words of the agent's protocol.

use std::time::SystemTime;

use moorage_control::state::Timestamp;
use moorage_control::sync::{SyncConflict, SyncFailure, SyncPreview, SyncRun, SyncSide};
use moorage_sync::RelativePath;
use moorage_sync::pair::{Conflict, DeletionGuard, End, Preview, RoundReport};

use crate::mounting::timestamp;

/// Characters of a path that is told of: what a line of a window shows, with room to spare. Reports stay bounded.
const LONGEST_PATH: usize = 1024;

/// A path as a person reads it.
pub(super) fn text(path: &RelativePath) -> String {
    let text = String::from_utf8_lossy(path.as_bytes());
    text.chars().take(LONGEST_PATH).collect()
}

pub(super) fn preview(preview: &Preview, guard: DeletionGuard) -> SyncPreview {
    let asks = |removed| guard.asks(removed, preview.known);
    SyncPreview {
        known: preview.known,
        to_local: preview.copies_left,
        to_local_bytes: preview.copies_left_bytes,
        to_volume: preview.copies_right,
        to_volume_bytes: preview.copies_right_bytes,
        removed_local: preview.removals_left,
        removed_volume: preview.removals_right,
        comparisons: preview.comparisons,
        special: preview.special,
        unreadable: preview.unreadable,
        asks: asks(preview.removals_left) || asks(preview.removals_right),
    }
}

pub(super) fn run(report: &RoundReport, unsettled: Vec<SyncFailure>, failures: Vec<SyncFailure>) -> SyncRun {
    SyncRun {
        ended: timestamp(SystemTime::now()),
        copied_local: report.copied_left,
        copied_volume: report.copied_right,
        copied_bytes: report.copied_bytes,
        removed_local: report.removed_left,
        removed_volume: report.removed_right,
        conflicts: report.conflicts,
        postponed: report.postponed,
        failed: report.failed + report.preview.unreadable + unsettled.len() as u64,
        failures: unsettled.into_iter().chain(failures).collect(),
    }
}

pub(super) fn conflict(conflict: &Conflict) -> SyncConflict {
    let milliseconds = conflict.time.clamped_nanos() / 1_000_000;
    SyncConflict {
        path: text(&conflict.path),
        copy: text(&conflict.copy),
        side: match conflict.end {
            End::Left => SyncSide::Local,
            End::Right => SyncSide::Volume,
        },
        since: Timestamp(u64::try_from(milliseconds).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::sync::SyncGuard;

    use super::*;

    #[test]
    fn a_pair_that_nobody_gave_limits_asks_as_the_engine_does() {
        let SyncGuard { files, percent } = SyncGuard::default();
        assert_eq!(DeletionGuard { files, percent }, DeletionGuard::default());
    }
}
