//! `moorage umount`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use moorage_host::{Folders, MountEntry, MountPoint, MountPointState, Unmount};
use moorage_model::{Error, ErrorKind, Result};

use crate::context::Context;
use crate::mounting::{MountPhase, MountRecord, host_error};
use crate::{output, size};

/// How often the state of the ending mount is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Unmount a volume, and wait until everything written to it is stored
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the volume is mounted
    mount_point: PathBuf,

    /// Detach the mount now even when it is in use; it ends when its last user is gone
    #[arg(short, long)]
    lazy: bool,

    /// Detach the mount now; those who use it get errors
    #[arg(short, long, conflicts_with = "lazy")]
    force: bool,

    /// Return when the mount point is free; what is not stored yet is stored in the background
    #[arg(long)]
    no_wait: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let point = MountPoint::resolve(&arguments.mount_point)
        .map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let shown = point.path().display();
    let state = point.state().map_err(|error| host_error(ErrorKind::Io, &error))?;
    let entry = match state {
        MountPointState::Mounted(entry) => entry,
        MountPointState::Stale(_) => {
            point
                .clear_stale()
                .map_err(|error| host_error(ErrorKind::Busy, &error))?;
            context.say(&format!(
                "The mount at {shown} had lost its process; it is taken away."
            ));
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("no volume is mounted at {shown}"),
            ));
        }
    };
    let how = match (arguments.lazy, arguments.force) {
        (true, _) => Unmount::Lazy,
        (_, true) => Unmount::Force,
        _ => Unmount::Clean,
    };
    let record = find_record(&point, &entry)?;
    moorage_host::unmount(point.path(), how).map_err(|error| host_error(ErrorKind::Busy, &error))?;
    match record {
        Some((folder, record)) if !arguments.no_wait && !arguments.lazy => wait(&folder, record, context),
        Some((_, record)) if arguments.no_wait && record.is_running() => {
            context.say("What is not stored yet is stored in the background.");
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The record of the mount, in the state folder of whoever mounted it.
fn find_record(point: &MountPoint, entry: &MountEntry) -> Result<Option<(PathBuf, MountRecord)>> {
    let own = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let owner = entry.owner.and_then(Folders::state_of);
    Ok(std::iter::once(own.state)
        .chain(owner)
        .find_map(|folder| MountRecord::find(&folder, point.path()).map(|record| (folder, record)))
        .filter(|(_, record)| record.is_running()))
}

/// Waits for the process that serves the mount, and says what it waits for.
fn wait(folder: &std::path::Path, mut record: MountRecord, context: &Context) -> Result<ExitCode> {
    let mut said = String::new();
    while record.is_running() {
        if let MountPhase::Storing {
            blocks,
            bytes,
            problem,
        } = &record.phase
            && *blocks > 0
        {
            let why = problem
                .as_deref()
                .map(|problem| format!(" The last attempt failed: {problem}."));
            let sentence = format!(
                "Waiting until {blocks} blocks ({}) are in the object store.{}",
                size::show(*bytes),
                why.unwrap_or_default()
            );
            if sentence != said {
                context.say(&sentence);
                said = sentence;
            }
        }
        std::thread::sleep(LOOK_INTERVAL);
        match MountRecord::find(folder, &record.point) {
            Some(newer) if newer.pid == record.pid => record.phase = newer.phase,
            _ => {}
        }
    }
    match MountRecord::find(folder, &record.point) {
        Some(MountRecord {
            phase: MountPhase::Failed { text, code },
            pid,
            ..
        }) if pid == record.pid => {
            output::tell(&text);
            Ok(ExitCode::from(code))
        }
        Some(last) if last.pid == record.pid => Err(Error::new(
            ErrorKind::Io,
            format!(
                "the process of volume {} died before everything was stored",
                record.volume
            ),
        )
        .with_advice("Mount the volume again and look at its files; `moorage fsck` checks all of them.")),
        _ => Ok(ExitCode::SUCCESS),
    }
}
