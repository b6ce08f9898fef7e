//! The command that starts a background mount, and returns when it answers.

use std::path::Path;
use std::process::{Command, ExitCode};

use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

use super::channel::ReportReader;
use super::log_file::LogFile;
use super::report::Outcome;
use super::{MountPlan, Role};
use crate::context::Context;
use crate::output::OutputArguments;
use crate::{environment, output};

/// A background mount, for a program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mounted<'a> {
    volume: String,
    mount_point: &'a Path,
    log: &'a Path,
}

/// Starts the supervisor of a mount and waits for its first report.
///
/// # Errors
/// When it cannot be started, or ends without a report. An error of the mount itself is shown as it came, and its exit
/// code returned.
pub(crate) fn start(
    plan: &MountPlan,
    log: Option<&Path>,
    output: OutputArguments,
    context: &Context,
) -> Result<ExitCode> {
    let log = LogFile::open(log, plan.point.path(), &plan.folders)?;
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the background process can not be started").with_source(error)
    };
    let (mut reader, other) = ReportReader::pair().map_err(failed)?;
    if let Some(line) = environment::line_to_pass_on() {
        reader.send(&line).map_err(failed)?;
    }
    let mut command = Role::Supervisor.command().map_err(failed)?;
    other.attach(&mut command, log.handle()?, log.handle()?);
    // The log is read as plain text.
    command.env("NO_COLOR", "1");
    #[cfg(windows)]
    super::role::tell_point(&mut command, plan.point.path());
    spawn(&mut command).map_err(failed)?;
    // The command holds the child's end of the reports; only the child may keep it open.
    drop(command);
    let outcome = reader.wait().map(|report| {
        if !report.warnings.is_empty() {
            context.say(&report.warnings);
        }
        report.outcome
    });
    match outcome {
        Some(Outcome::Mounted { volume }) => {
            plan.point.check_answers().map_err(|error| {
                Error::new(
                    ErrorKind::Io,
                    format!("the mount at {} does not answer", plan.point.path().display()),
                )
                .with_source(error)
                .with_advice(format!("See its log {}.", log.path().display()))
            })?;
            if output.json {
                let mounted = Mounted {
                    volume,
                    mount_point: plan.point.path(),
                    log: log.path(),
                };
                output::print(output, &mounted, |_| String::new())?;
                return Ok(ExitCode::SUCCESS);
            }
            context.say(&format!(
                "Volume {volume} is mounted at {}. Its log is {}.",
                plan.point.path().display(),
                log.path().display()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Some(Outcome::Failed { text, json, code }) => {
            output::tell(&if output.json { json.to_string() } else { text });
            Ok(ExitCode::from(code))
        }
        None => Err(Error::new(
            ErrorKind::Io,
            format!(
                "the mount at {} ended before it answered",
                plan.point.path().display()
            ),
        )
        .with_advice(format!("See its log {}.", log.path().display()))),
    }
}

/// Starts a process that stays when this one has ended.
#[cfg(unix)]
fn spawn(command: &mut Command) -> std::io::Result<()> {
    command.spawn().map(drop)
}

/// Starts a process that stays when this one has ended.
#[cfg(windows)]
fn spawn(command: &mut Command) -> std::io::Result<()> {
    moorage_host::keep_standard_handles();
    moorage_host::start_detached(command).map(drop)
}
