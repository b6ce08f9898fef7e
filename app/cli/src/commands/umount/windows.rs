//! Taking a mount away by asking the process that serves it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use moorage_control::mount::{AskError, MountEnd, MountRequest, ask};
use moorage_control::problem::ProblemCode;
use moorage_host::{Folders, MountPoint};
use moorage_model::{Error, ErrorKind, Result};

use super::Arguments;
use super::waiting::{FORCED_END, earlier_at, tell_of_earlier, wait};
use crate::context::Context;
use crate::interrupt::until_signal;
use crate::mounting::{MountPhase, MountRecord, host_error};
use crate::{output, staged};

/// How long a mount may take to say that it ends: it does so from memory, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(point: &Path, arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let point = MountPoint::resolve(point).map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let shown = point.path().display();
    let state = Folders::of_user()
        .map_err(|error| host_error(ErrorKind::NotFound, &error))?
        .state;
    let record = MountRecord::find(&state, point.path());
    let earlier = earlier_at(&point, None)?.map(|(_, record)| record);
    let Some(record) = record.filter(MountRecord::is_running).or(earlier) else {
        return take_away_dead(&point, &state, context);
    };
    if arguments.force {
        return end_by_force(&state, record, arguments, context);
    }
    if record.phase != MountPhase::Serving {
        return wait(&state, record, None, context);
    }
    let how = match arguments.lazy {
        true => MountEnd::Now,
        false => MountEnd::Unused,
    };
    until_signal(end(&record, how))?;
    tell_of_earlier(&point, Some(&record))?;
    if arguments.lazy {
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.no_wait {
        context.say(&format!(
            "The mount at {shown} ends. What is not stored yet is stored in the background."
        ));
        return Ok(ExitCode::SUCCESS);
    }
    wait(&state, record, None, context)
}

/// Has nobody bring back a mount whose process is gone: the system took its drive or folder away with it.
fn take_away_dead(point: &MountPoint, state: &Path, context: &Context) -> Result<ExitCode> {
    let shown = point.path().display();
    // One that ended by itself took its record with it, or says there what was not stored.
    let record = MountRecord::find(state, point.path());
    let Some(record) = record.filter(|record| record.phase == MountPhase::Serving) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("no volume is mounted at {shown}"),
        ));
    };
    record.remove(state);
    context.say(&format!(
        "The mount at {shown} had lost its process; it is not brought back."
    ));
    if let Some(left) = staged::left_by(&record) {
        output::tell(&left.text());
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the process of a mount end within seconds; one that does not, or does not answer, is killed.
fn end_by_force(
    state: &Path,
    record: MountRecord,
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode> {
    if let Err(error) = until_signal(end(&record, MountEnd::Forced)) {
        context.say(&format!("{error}; the process is ended."));
        record.end_at_once()?;
    }
    if arguments.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    wait(state, record, Some(FORCED_END), context)
}

async fn end(record: &MountRecord, how: MountEnd) -> Result<()> {
    let (pid, point) = (record.pid, record.point.display());
    let silent = |what: String| {
        Error::new(
            ErrorKind::Unavailable,
            format!("process {pid}, which serves volume {} at {point}, {what}", record.volume),
        )
        .with_advice(format!(
            "End it with `moorage umount --force {point}`, which gives up what can not be stored within seconds."
        ))
    };
    let Some(socket) = &record.socket else {
        return Err(silent("listens to nobody".to_owned()));
    };
    match ask(socket, MountRequest::End { how }, PATIENCE).await {
        Ok(_) => Ok(()),
        Err(AskError::Failed(problem)) => {
            let kind = match problem.code {
                ProblemCode::MountPointBusy => ErrorKind::Busy,
                _ => ErrorKind::NotSupported,
            };
            let what = format!("the mount at {point} is in use: {}", problem.message);
            Err(Error::new(kind, what).with_advice(problem.advice))
        }
        Err(error) => Err(silent(format!("does not answer: {error}"))),
    }
}
