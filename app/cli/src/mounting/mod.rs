//! A volume at a mount point: its options, the process that serves it, and the supervisor that brings it back.
//!
//! A foreground mount is one process. `mount -d` starts a supervisor, which runs the mount as its child and starts it
//! again, in place, when it crashes. Both get the command line as it was typed (secrets are hidden in it already, see
//! [`crate::hidden_arguments`]); an environment variable tells them apart.

mod daemon;
mod database_watch;
mod end_signals;
mod flags;
mod forced_end;
mod log_file;
mod mount_turn;
mod options;
mod point;
mod record;
mod report;
mod role;
mod socket;
mod supervisor;
mod transfers;
mod unstored_files;
mod worker;

pub(crate) use daemon::start as start_daemon;
pub(crate) use end_signals::FORCE_SIGNAL;
pub(crate) use flags::MountFlags;
pub(crate) use log_file::LogFile;
pub(crate) use options::MountPlan;
pub(crate) use point::prepare;
#[cfg(test)]
pub(crate) use record::Supervisor;
pub(crate) use record::{MountPhase, MountRecord};
pub(crate) use report::Reporter;
pub(crate) use role::Role;
pub(crate) use socket::timestamp;
pub(crate) use supervisor::supervise;
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
