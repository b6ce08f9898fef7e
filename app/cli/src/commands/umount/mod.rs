//! `moorage umount`

#[cfg_attr(windows, path = "windows.rs")]
mod system;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use moorage_host::Folders;
use moorage_model::{ErrorKind, Result};

use crate::context::Context;
use crate::failure;
use crate::mounting::{MountRecord, host_error};

/// Unmount a volume, and wait until everything written to it is stored
///
/// Files that the store refuses, because it is full or does not answer, are named; the process of the mount keeps their
/// data and tries again. The same command once more waits for its next attempt, and --force gives the data up. A process
/// that is stopped, or silent for five minutes, is named and not waited for.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the volume is mounted
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    mount_point: Option<PathBuf>,

    /// Unmount every volume that this user has mounted, one after the other
    #[arg(long)]
    all: bool,

    #[cfg_attr(
        unix,
        doc = "Detach the mount now even when it is in use; it ends when its last user is gone"
    )]
    #[cfg_attr(
        windows,
        doc = "Detach the mount now even when it is in use; those who use it get errors"
    )]
    #[arg(short, long)]
    lazy: bool,

    /// Detach the mount now; those who use it get errors, and what cannot be stored within seconds is lost
    #[arg(short, long, conflicts_with = "lazy")]
    force: bool,

    /// Return when the mount point is free; what is not stored yet is stored in the background
    #[arg(long)]
    no_wait: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    if let Some(point) = &arguments.mount_point {
        return system::run(point, arguments, context);
    }
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let mut records = MountRecord::all(&folders.state);
    records.retain(MountRecord::is_running);
    let mut points: Vec<PathBuf> = records.into_iter().map(|record| record.point).collect();
    // One that lies in another comes first.
    points.sort_by(|one, other| other.cmp(one));
    points.dedup();
    let mut code = ExitCode::SUCCESS;
    for point in points {
        match system::run(&point, arguments, context) {
            Ok(ended) if ended == ExitCode::SUCCESS => {}
            Ok(ended) => code = ended,
            // The others are unmounted all the same.
            Err(error) => code = failure::present(&error, false),
        }
    }
    Ok(code)
}
