//! What the system offers to a process that keeps a mount alive.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use moorage_host::{MountPoint, MountPointState, Unmount, unmount};
use moorage_model::{ErrorKind, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, setsid};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

use super::channel::ReportReader;
use super::host_error;

/// Exit code of a Rust process whose main thread panicked.
const PANICKED: i32 = 101;

/// Has this process go on when whoever started it ends: the session of the terminal may end without it.
pub(super) fn leave_starter() {
    if let Err(error) = setsid() {
        tracing::debug!(%error, "this process leads a group already");
    }
}

/// What asks a supervisor to end its mount.
pub(super) struct Asks {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Asks {
    /// Takes them from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> io::Result<Asks> {
        Ok(Asks {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns at the next.
    ///
    /// # Cancel safety
    /// Safe: none is lost.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What asks a worker to end.
pub(super) struct Leash(Option<Pid>);

impl Leash {
    /// That of a worker which was just started.
    ///
    /// # Errors
    /// None here.
    pub(super) fn of(worker: &Child, _reader: &ReportReader) -> io::Result<Leash> {
        let pid = worker.id().and_then(|pid| i32::try_from(pid).ok());
        Ok(Leash(pid.map(Pid::from_raw)))
    }

    /// Asks it.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn pull(&self) -> io::Result<()> {
        let pid = self.0.ok_or(io::ErrorKind::NotFound)?;
        Ok(kill(pid, Signal::SIGTERM)?)
    }
}

/// Whether a worker that has ended did so otherwise than in order.
pub(super) fn has_crashed(
    status: ExitStatus,
    _worker: Option<u32>,
    _point: &MountPoint,
    _state: &Path,
) -> bool {
    status.signal().is_some() || status.code() == Some(PANICKED)
}

/// Whether a mount that died is to come back: somebody who takes a dead one away does not want it.
///
/// # Errors
/// When the mount point can not be looked at.
pub(super) fn is_wanted(point: &MountPoint, _state: &Path) -> Result<bool> {
    match point.state() {
        Ok(state) => Ok(matches!(state, MountPointState::Stale(_))),
        Err(error) => Err(host_error(ErrorKind::Io, &error)),
    }
}

/// Takes away the mount of a worker that is dead and can not end; how it counts as ended then.
pub(super) fn free(point: &MountPoint) -> Option<ExitStatus> {
    match unmount(point.path(), Unmount::Force) {
        Ok(()) => {
            tracing::error!(
                "the mount died and hung; it was taken away, and programs with open files see errors"
            );
            Some(ExitStatus::from_raw(Signal::SIGKILL as i32))
        }
        Err(error) => {
            tracing::error!(%error, "the mount died and hangs");
            None
        }
    }
}
