//! Waiting for the process of a mount that was taken away.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use moorage_host::{Folders, MountPoint};
use moorage_model::{Error, ErrorKind, Result};

use crate::context::Context;
use crate::mounting::{MountPhase, MountRecord, host_error};
use crate::upload_display::{PATIENCE, Unstored, UploadDisplay};
use crate::{output, staged};

/// How often the state of the ending mount is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long a process may be stopped before nobody waits for it any more: a debugger stops one for moments.
const STOPPED_PATIENCE: Duration = Duration::from_secs(5);
/// How long a process whose mount is gone may be silent: requests that it still answers end with their deadlines, which
/// are shorter, and after them it says how far it is.
const SILENT_PATIENCE: Duration = Duration::from_secs(300);
/// How long a mount that is told to end by force may take; it needs up to 5 s to store what it can, seconds to name
/// what it cannot, and 5 s for its tasks to end.
pub(super) const FORCED_END: Duration = Duration::from_secs(20);

/// Since when a process is stopped, as far as somebody looked.
#[derive(Default)]
pub(super) struct Stopped {
    since: Option<Instant>,
}

impl Stopped {
    /// Whether the process of a mount is stopped, and was for as long as it is waited for.
    pub(super) fn for_long(&mut self, record: &MountRecord) -> bool {
        if !record.is_stopped() {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        since.elapsed() >= STOPPED_PATIENCE
    }
}

pub(super) fn is_stopped(record: &MountRecord) -> Error {
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

/// A mount that was here before the last one, and whose process still stores what was written to it.
pub(super) fn earlier_at(
    point: &MountPoint,
    last: Option<&MountRecord>,
) -> Result<Option<(PathBuf, MountRecord)>> {
    let own = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let mut running = MountRecord::running_at(&own.state, point.path());
    running.retain(|record| record.phase.is_storing() && last.is_none_or(|last| last.pid != record.pid));
    Ok(running.pop().map(|record| (own.state, record)))
}

/// Says that a mount which was here before still stores what was written to it.
pub(super) fn tell_of_earlier(point: &MountPoint, last: Option<&MountRecord>) -> Result<()> {
    if let Some((_, earlier)) = earlier_at(point, last)? {
        output::tell(&format!(
            "An earlier mount at {} (process {}) is not stored yet; run umount once more to wait for it, or to end it \
             with --force.",
            point.path().display(),
            earlier.pid
        ));
    }
    Ok(())
}

/// Waits for the process that serves the mount, and says what it waits for. Kills it after `patience`; without, returns
/// when an attempt to store what was written fails from now on, which may be so for hours while the process goes on, and
/// when the process is stopped or says nothing.
pub(super) fn wait(
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
            record.end_at_once()?;
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
