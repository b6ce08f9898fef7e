//! Taking a mount away by asking the kernel.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;

use moorage_host::{Folders, MountEntry, MountPoint, MountPointState, Unmount};
use moorage_model::{Error, ErrorKind, Result};
use nix::sys::signal::Signal;

use super::Arguments;
use super::waiting::{FORCED_END, Stopped, earlier_at, is_stopped, tell_of_earlier, wait};
use crate::context::Context;
use crate::mounting::{FORCE_SIGNAL, MountRecord, host_error};
use crate::upload_display::PATIENCE;
use crate::{output, staged};

/// Type of our mounts in the mount table, unless `-o subtype` says another.
const OWN_KIND: &str = "fuse.moorage";

pub(super) fn run(point: &Path, arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let point = MountPoint::resolve(point).map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let shown = point.path().display();
    let entry = match state_of(&point)? {
        MountPointState::Mounted(entry) => entry,
        MountPointState::Stale(entry) => {
            point
                .clear_stale()
                .map_err(|error| host_error(ErrorKind::Busy, &error))?;
            context.say(&format!(
                "The mount at {shown} had lost its process; it is taken away."
            ));
            if let Some(left) =
                record_of(&point, Some(&entry))?.and_then(|(_, record)| staged::left_by(&record))
            {
                output::tell(&left.text());
            }
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            // Detached before, and its process still tries to store what was written.
            match find_record(&point, None)?.or(earlier_at(&point, None)?) {
                Some((folder, record)) if arguments.force => {
                    return end_by_force(&folder, record, arguments, context);
                }
                Some((folder, record)) if record.phase.is_storing() || record.is_stopped() => {
                    return wait(&folder, record, None, context);
                }
                _ => {}
            }
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
    let record = find_record(&point, Some(&entry))?;
    unmount(
        &point,
        &entry,
        how,
        record.as_ref().map(|(_, record)| record),
        context,
    )?;
    tell_of_earlier(&point, record.as_ref().map(|(_, record)| record))?;
    match record {
        None if !arguments.no_wait && !arguments.lazy && entry.kind == OWN_KIND => {
            Err(unknown_process(&point))
        }
        Some((folder, record)) if arguments.force => end_by_force(&folder, record, arguments, context),
        Some((folder, record)) if !arguments.no_wait && !arguments.lazy => {
            wait(&folder, record, None, context)
        }
        Some((_, record)) if arguments.no_wait && record.is_running() => {
            context.say("What is not stored yet is stored in the background.");
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// What is at the mount point. A mount whose process is on record and lives is not asked: one that hangs would be kept
/// busy by the question, and could not be taken away.
fn state_of(point: &MountPoint) -> Result<MountPointState> {
    let failed = |error| host_error(ErrorKind::Io, &error);
    let mount = point.mount().map_err(failed)?.filter(MountEntry::is_fuse);
    if let Some(entry) = mount
        && find_record(point, Some(&entry))?.is_some()
    {
        return Ok(MountPointState::Mounted(entry));
    }
    point.state().map_err(failed)
}

/// Takes the mount away, and says so when the kernel first has to hand over what was written. A process that is stopped
/// takes nothing.
fn unmount(
    point: &MountPoint,
    entry: &MountEntry,
    how: Unmount,
    record: Option<&MountRecord>,
    context: &Context,
) -> Result<()> {
    let refusal = match entry.is_of_another_user() {
        true => ErrorKind::NotPermitted,
        false => ErrorKind::Busy,
    };
    let (done, outcome) = mpsc::channel();
    let path = point.path().to_owned();
    std::thread::spawn(move || done.send(moorage_host::unmount(&path, how)));
    let mut stopped = Stopped::default();
    let mut told = false;
    loop {
        match outcome.recv_timeout(PATIENCE) {
            Ok(outcome) => return outcome.map_err(|error| host_error(refusal, &error)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::new(ErrorKind::Io, "unmounting was cut off"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if !told {
            context.say(&format!(
                "Waiting for the mount at {} to take what the kernel still holds for it.",
                point.path().display()
            ));
            told = true;
        }
        if let Some(record) = record
            && stopped.for_long(record)
        {
            return Err(is_stopped(record));
        }
    }
}

/// The mount is gone, and the promise to wait for its process can not be kept.
fn unknown_process(point: &MountPoint) -> Error {
    let shown = point.path().display();
    Error::new(
        ErrorKind::NotFound,
        format!(
            "the mount at {shown} is taken away, but which process served it is not on record: whether everything \
             written to it is stored can not be told"
        ),
    )
    .with_advice(
        "Look for a `moorage mount` process and wait for its end, and run umount as the user who mounted the volume. \
         `--no-wait` does not ask for it.",
    )
}

/// The record of the mount, when its process runs.
fn find_record(point: &MountPoint, entry: Option<&MountEntry>) -> Result<Option<(PathBuf, MountRecord)>> {
    Ok(record_of(point, entry)?.filter(|(_, record)| record.is_running()))
}

/// The record of the mount, in the state folder of whoever mounted it.
fn record_of(point: &MountPoint, entry: Option<&MountEntry>) -> Result<Option<(PathBuf, MountRecord)>> {
    let own = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let owner = entry.and_then(|entry| entry.owner).and_then(Folders::state_of);
    Ok(std::iter::once(own.state)
        .chain(owner)
        .find_map(|folder| MountRecord::find(&folder, point.path()).map(|record| (folder, record))))
}

/// Has the process of a detached mount end within seconds; one that does not is killed. Its supervisor does not start it
/// again, since its mount point was taken away.
fn end_by_force(
    folder: &Path,
    record: MountRecord,
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode> {
    record.signal(FORCE_SIGNAL)?;
    // One that somebody stopped hears of it when it goes on.
    record.signal(Signal::SIGCONT)?;
    if arguments.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    wait(folder, record, Some(FORCED_END), context)
}
