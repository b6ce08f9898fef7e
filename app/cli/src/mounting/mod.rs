//! A volume at a mount point: its options, the process that serves it, and the supervisor that brings it back.
//!
//! A foreground mount is one process. `mount -d` starts a supervisor, which runs the mount as its child and starts it
//! again, in place, when it crashes. Both get the command line as it was typed (secrets are hidden in it already, see
//! [`crate::hidden_arguments`]); an environment variable tells them apart.
//!
//! Mounts are there for Unix; elsewhere only what other commands ask of them is.

#[cfg(unix)]
mod daemon;
#[cfg(unix)]
mod database_watch;
#[cfg(unix)]
mod end_signals;
#[cfg(unix)]
mod flags;
#[cfg(unix)]
mod forced_end;
mod log_file;
#[cfg(unix)]
mod mount_turn;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod point;
mod record;
#[cfg(unix)]
mod report;
mod role;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod supervisor;
mod timestamp;
#[cfg(unix)]
mod transfers;
#[cfg(unix)]
mod unstored_files;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
pub(crate) use daemon::start as start_daemon;
#[cfg(unix)]
pub(crate) use end_signals::FORCE_SIGNAL;
#[cfg(unix)]
pub(crate) use flags::MountFlags;
pub(crate) use log_file::LogFile;
#[cfg(unix)]
pub(crate) use options::MountPlan;
#[cfg(unix)]
pub(crate) use point::prepare;
pub(crate) use record::MountPhase;
pub(crate) use record::MountRecord;
#[cfg(test)]
pub(crate) use record::Supervisor;
#[cfg(unix)]
pub(crate) use report::Reporter;
pub(crate) use role::Role;
#[cfg(unix)]
pub(crate) use supervisor::supervise;
pub(crate) use timestamp::timestamp;
#[cfg(unix)]
pub(crate) use worker::serve;

use moorage_host::HostError;
use moorage_model::{Error, ErrorKind};

/// An error of the operating system as every command shows errors.
pub(crate) fn host_error(kind: ErrorKind, error: &HostError) -> Error {
    let what = Error::new(kind, error.message());
    match error.advice() {
        Some(advice) => what.with_advice(advice),
        None => what,
    }
}
