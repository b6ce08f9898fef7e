//! `moorage umount`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;
use moorage_host::{Folders, MountEntry, MountPoint, MountPointState, Unmount};
use moorage_model::{Error, ErrorKind, Result};
use nix::sys::signal::Signal;

use crate::context::Context;
use crate::mounting::{FORCE_SIGNAL, MountPhase, MountRecord, host_error};
use crate::upload_display::{PATIENCE, Unstored, UploadDisplay};
use crate::{output, staged};

/// Type of our mounts in the mount table, unless `-o subtype` says another.
const OWN_KIND: &str = "fuse.moorage";
/// How often the state of the ending mount is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long a process may be stopped before nobody waits for it any more: a debugger stops one for moments.
const STOPPED_PATIENCE: Duration = Duration::from_secs(5);
/// How long a process whose mount is gone may be silent: requests that it still answers end with their deadlines, which
/// are shorter, and after them it says how far it is.
const SILENT_PATIENCE: Duration = Duration::from_secs(300);
/// How long a mount that is told to end by force may take; it needs up to 5 s to store what it can, seconds to name
/// what it cannot, and 5 s for its tasks to end.
const FORCED_END: Duration = Duration::from_secs(20);

/// Unmount a volume, and wait until everything written to it is stored
///
/// Files that the store refuses, because it is full or does not answer, are named; the process of the mount keeps their
/// data and tries again. The same command once more waits for its next attempt, and --force gives the data up. A process
/// that is stopped, or silent for five minutes, is named and not waited for.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the volume is mounted
    mount_point: PathBuf,

    /// Detach the mount now even when it is in use; it ends when its last user is gone
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
    let point = MountPoint::resolve(&arguments.mount_point)
        .map_err(|error| host_error(ErrorKind::NotFound, &error))?;
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
    if let Some((_, earlier)) = earlier_at(&point, record.as_ref().map(|(_, record)| record))? {
        output::tell(&format!(
            "An earlier mount at {shown} (process {}) is not stored yet; run umount once more to wait for it, or to end \
             it with --force.",
            earlier.pid
        ));
    }
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

/// Since when a process is stopped, as far as somebody looked.
#[derive(Default)]
struct Stopped {
    since: Option<Instant>,
}

impl Stopped {
    /// Whether the process of a mount is stopped, and was for as long as it is waited for.
    fn for_long(&mut self, record: &MountRecord) -> bool {
        if !record.is_stopped() {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        since.elapsed() >= STOPPED_PATIENCE
    }
}

fn is_stopped(record: &MountRecord) -> Error {
    let (pid, point) = (record.pid, record.point.display());
    Error::new(
        ErrorKind::Timeout,
        format!(
            "process {pid}, which serves volume {} at {point}, is stopped: what was written and is not stored stays in \
             its memory",
            record.volume
        ),
    )
    .with_advice(format!(
        "Let it go on with `kill -CONT {pid}`, and run `moorage umount {point}` once more to wait for it; or end it with \
         `moorage umount --force {point}`, which gives up what can not be stored within seconds."
    ))
}

fn is_silent(record: &MountRecord) -> Error {
    let (pid, point) = (record.pid, record.point.display());
    Error::new(
        ErrorKind::Timeout,
        format!(
            "process {pid}, which served volume {} at {point}, has not said for {} minutes how far it is",
            record.volume,
            SILENT_PATIENCE.as_secs() / 60
        ),
    )
    .with_advice(format!(
        "Look at its log and at what it waits for, and run `moorage umount {point}` once more to wait for it; or end it \
         with `moorage umount --force {point}`, which gives up what can not be stored within seconds."
    ))
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

/// A mount that was here before the last one, and whose process still stores what was written to it.
fn earlier_at(point: &MountPoint, last: Option<&MountRecord>) -> Result<Option<(PathBuf, MountRecord)>> {
    let own = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let mut running = MountRecord::running_at(&own.state, point.path());
    running.retain(|record| record.phase.is_storing() && last.is_none_or(|last| last.pid != record.pid));
    Ok(running.pop().map(|record| (own.state, record)))
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

/// Waits for the process that serves the mount, and says what it waits for. Kills it after `patience`; without, returns
/// when an attempt to store what was written fails from now on, which may be so for hours while the process goes on, and
/// when the process is stopped or says nothing.
fn wait(
    folder: &Path,
    mut record: MountRecord,
    patience: Option<Duration>,
    context: &Context,
) -> Result<ExitCode> {
    let mut display = UploadDisplay::new(context.is_quiet());
    let started = Instant::now();
    let known = record.phase.failed_attempts();
    let mut told = false;
    let mut stopped = Stopped::default();
    while record.is_running() {
        if patience.is_none() && stopped.for_long(&record) {
            return Err(is_stopped(&record));
        }
        if patience.is_none() && record.phase == MountPhase::Serving && started.elapsed() >= SILENT_PATIENCE {
            return Err(is_silent(&record));
        }
        if !told && record.phase == MountPhase::Serving && started.elapsed() >= PATIENCE {
            context.say(&format!(
                "Waiting for process {} to answer what was asked of the mount.",
                record.pid
            ));
            told = true;
        }
        if patience.is_some_and(|patience| started.elapsed() >= patience) {
            record.signal(Signal::SIGKILL)?;
        }
        if let MountPhase::Storing {
            files,
            file_bytes,
            blocks,
            bytes,
            problem,
            paused,
        } = &record.phase
        {
            display.show(Unstored {
                files: *files,
                file_bytes: *file_bytes,
                blocks: *blocks,
                bytes: *bytes,
                problem: problem.as_deref(),
                paused: *paused,
            });
        }
        if let MountPhase::NotStored { attempts, text, code } = &record.phase
            && *attempts > known
            && patience.is_none()
        {
            output::tell(text);
            return Ok(ExitCode::from(*code));
        }
        std::thread::sleep(LOOK_INTERVAL);
        if let Some(newer) = record.reread(folder) {
            record.phase = newer.phase;
        }
    }
    drop(display);
    match record.reread(folder) {
        Some(MountRecord {
            phase: MountPhase::Failed { text, code },
            ..
        }) => {
            output::tell(&text);
            Ok(ExitCode::from(code))
        }
        Some(_) => {
            let left = staged::left_by(&record).map(|left| left.text());
            let advice = left.unwrap_or_else(|| {
                "Mount the volume again and look at its files; `moorage fsck` checks all of them.".to_owned()
            });
            Err(Error::new(
                ErrorKind::Io,
                format!(
                    "the process of volume {} died before everything was stored",
                    record.volume
                ),
            )
            .with_advice(advice))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
