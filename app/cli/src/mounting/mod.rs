//! A volume at a mount point: its options, the process that serves it, and the supervisor that brings it back.
//!
//! A foreground mount is one process. `mount -d` starts a supervisor, which runs the mount as its child and starts it
//! again, in place, when it crashes. Both get the command line as it was typed (secrets are hidden in it already, see
//! [`crate::hidden_arguments`]); an environment variable tells them apart.

#[cfg_attr(windows, path = "windows/backend.rs")]
mod backend;
#[cfg_attr(windows, path = "windows/channel.rs")]
mod channel;
mod daemon;
mod database_watch;
#[cfg_attr(windows, path = "windows/departure.rs")]
mod departure;
#[cfg_attr(windows, path = "windows/end_signals.rs")]
mod end_signals;
mod flags;
mod forced_end;
mod hold;
#[cfg_attr(windows, path = "windows/life.rs")]
mod life;
mod log_file;
mod mount_turn;
mod options;
#[cfg_attr(windows, path = "windows/point.rs")]
mod point;
mod record;
mod report;
mod role;
mod socket;
mod supervisor;
mod timestamp;
mod transfers;
mod unstored_files;
mod worker;

pub(crate) use daemon::start as start_daemon;
#[cfg(unix)]
pub(crate) use end_signals::FORCE_SIGNAL;
pub(crate) use flags::MountFlags;
pub(crate) use log_file::LogFile;
pub(crate) use options::MountPlan;
#[cfg(windows)]
pub(crate) use point::free_point;
pub(crate) use point::prepare;
pub(crate) use record::MountPhase;
pub(crate) use record::MountRecord;
#[cfg(test)]
pub(crate) use record::Supervisor;
pub(crate) use report::Reporter;
pub(crate) use role::Role;
pub(crate) use supervisor::supervise;
pub(crate) use timestamp::timestamp;
pub(crate) use worker::serve;

use moorage_host::{HostError, MountError, MountProblem};
use moorage_model::{Error, ErrorKind};

/// An error of the operating system as every command shows errors.
pub(crate) fn host_error(kind: ErrorKind, error: &HostError) -> Error {
    let what = Error::new(kind, error.message());
    match error.advice() {
        Some(advice) => what.with_advice(advice),
        None => what,
    }
}

/// A mount that was not made, as every command shows errors.
pub(crate) fn mount_error(error: &MountError) -> Error {
    let kind = match error.problem() {
        MountProblem::DriverMissing | MountProblem::DriverTooOld | MountProblem::NotSupported => {
            ErrorKind::NotSupported
        }
        MountProblem::InUse => ErrorKind::Busy,
        MountProblem::NotEmpty => ErrorKind::NotEmpty,
        MountProblem::NotFound => ErrorKind::NotFound,
        MountProblem::Refused => ErrorKind::NotPermitted,
        MountProblem::System => ErrorKind::Io,
    };
    host_error(kind, error.error())
}
