//! Which mounts the system has.

use std::path::Path;

use moorage_host::MountEntry;

use crate::mounting::MountRecord;

/// Looks for mounts.
#[derive(Debug)]
pub(super) struct Presence;

/// The mounts of one moment.
#[derive(Debug)]
pub(super) struct Present(Vec<MountEntry>);

impl Presence {
    /// Looks at the system's table.
    pub(super) fn new() -> Presence {
        Presence
    }

    /// The mounts now; `None` where the system's table can not be read.
    pub(super) fn look(&self) -> Option<Present> {
        let mounts = moorage_host::mounts().inspect_err(|error| tracing::warn!("{error}"));
        mounts.ok().map(Present)
    }
}

impl Present {
    /// Whether there is one at this point, alive or not.
    pub(super) fn has(&self, point: &Path, _records: &[&MountRecord]) -> bool {
        self.0.iter().any(|mount| mount.is_fuse() && mount.point == point)
    }
}
