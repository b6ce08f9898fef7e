//! Which mounts the system has. It keeps none whose process is gone, and does not say whose a drive is: the records do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moorage_host::MountPoint;
use parking_lot::Mutex;

use crate::mounting::MountRecord;

/// Looks for mounts.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// The process that was seen last at each mount point: its id and its start.
    seen: Mutex<BTreeMap<PathBuf, (u32, u64)>>,
}

/// The mounts of one moment.
#[derive(Debug)]
pub(super) struct Present<'p>(&'p Presence);

impl Presence {
    /// Has seen nothing yet.
    pub(super) fn new() -> Presence {
        Presence::default()
    }

    /// The mounts now.
    pub(super) fn look(&self) -> Option<Present<'_>> {
        Some(Present(self))
    }
}

impl Present<'_> {
    /// Whether there is one at this point; or was one whose process ended without a word since somebody looked. What ended
    /// so before is no mount that died now: a computer that is switched off ends all of them.
    pub(super) fn has(&self, point: &Path, records: &[&MountRecord]) -> bool {
        let mut seen = self.0.seen.lock();
        let Some(running) = records.iter().find(|record| record.is_running()) else {
            let last = seen.get(point);
            return records.iter().any(|record| last == Some(&identity(record)));
        };
        seen.insert(point.to_owned(), identity(running));
        MountPoint::resolve(point).is_ok_and(|point| point.is_occupied())
    }
}

fn identity(record: &MountRecord) -> (u32, u64) {
    (record.pid, record.started)
}
