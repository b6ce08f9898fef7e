//! What the system offers to a process that keeps a mount alive.

use std::io;
use std::path::Path;
use std::process::ExitStatus;

use moorage_host::MountPoint;
use moorage_model::Result;
use tokio::process::Child;

use super::channel::{ReportReader, Teller};
use super::{MountPhase, MountRecord};

/// Has this process go on when whoever started it ends: it was started so, and must not hand its pipes on.
pub(super) fn leave_starter() {
    moorage_host::keep_standard_handles();
}

/// What asks a supervisor to end its mount: nothing here. Whoever unmounts asks the worker.
pub(super) struct Asks;

impl Asks {
    /// Takes them from now on.
    ///
    /// # Errors
    /// None here.
    pub(super) fn listen() -> io::Result<Asks> {
        Ok(Asks)
    }

    /// Never returns.
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

/// What asks a worker to end.
pub(super) struct Leash(Teller);

impl Leash {
    /// That of a worker which was just started.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn of(_worker: &Child, reader: &ReportReader) -> io::Result<Leash> {
        Ok(Leash(reader.teller()?))
    }

    /// Asks it.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn pull(&self) -> io::Result<()> {
        self.0.tell_to_end()
    }
}

/// Whether a worker that has ended did so otherwise than in order: one that was killed has the exit code that somebody
/// chose for it, but its record says still that it serves.
pub(super) fn has_crashed(
    _status: ExitStatus,
    worker: Option<u32>,
    point: &MountPoint,
    state: &Path,
) -> bool {
    let record = MountRecord::find(state, point.path());
    record.is_some_and(|record| Some(record.pid) == worker && record.phase == MountPhase::Serving)
}

/// Whether a mount that died is to come back: somebody who takes a dead one away takes its record away.
///
/// # Errors
/// None here.
pub(super) fn is_wanted(point: &MountPoint, state: &Path) -> Result<bool> {
    Ok(MountRecord::find(state, point.path()).is_some())
}

/// The system takes away the mount of a worker that is dead.
pub(super) fn free(_point: &MountPoint) -> Option<ExitStatus> {
    None
}
