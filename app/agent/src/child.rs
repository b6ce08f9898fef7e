//! A `moorage` command as a child: secrets go to it through a pipe, and its failure comes back as a problem.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::own_process;
use crate::trouble::{caused, passing};

/// Runs a command that understands `--json`, and that is named as `task` in messages. Its secrets come on standard input,
/// which it reads where it is told to with `--secrets-from-stdin`.
///
/// # Cancel safety
/// The command is killed.
///
/// # Errors
/// What the command says; that it can not be started, or takes longer than the deadline.
pub(crate) async fn run(
    program: &Path,
    arguments: Vec<String>,
    secrets: &VolumeSecrets,
    task: &str,
    deadline: Duration,
) -> Result<(), Problem> {
    let output = ended(program, arguments, &line_of(secrets), task, deadline).await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failure(task, &output))
    }
}

/// Runs a command whose answer is its standard output as JSON, also where it ends with a failure that the answer tells of.
///
/// # Cancel safety
/// The command is killed.
///
/// # Errors
/// What the command says instead of an answer; that it can not be started, or takes longer than the deadline.
pub(crate) async fn ask<T: DeserializeOwned>(
    program: &Path,
    arguments: Vec<String>,
    secrets: &VolumeSecrets,
    task: &str,
    deadline: Duration,
) -> Result<T, Problem> {
    ask_about(program, arguments, &line_of(secrets), task, deadline).await
}

/// As [`ask`], for a command that reads what it is asked about as one line on its standard input.
///
/// # Cancel safety
/// The command is killed.
///
/// # Errors
/// As of [`ask`].
pub(crate) async fn ask_about<T: DeserializeOwned>(
    program: &Path,
    arguments: Vec<String>,
    line: &Zeroizing<Vec<u8>>,
    task: &str,
    deadline: Duration,
) -> Result<T, Problem> {
    let output = ended(program, arguments, line, task, deadline).await?;
    serde_json::from_slice(&output.stdout).map_err(|_| failure(task, &output))
}

/// Secrets as a line of JSON. It can always be made: they are texts.
pub(crate) fn line_of(secrets: &VolumeSecrets) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(serde_json::to_vec(secrets).unwrap_or_default());
    line.push(b'\n');
    line
}

async fn ended(
    program: &Path,
    arguments: Vec<String>,
    line: &Zeroizing<Vec<u8>>,
    task: &str,
    deadline: Duration,
) -> Result<Output, Problem> {
    match timeout(deadline, output_of(command(program, arguments), line)).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(caused(
            passing(
                ProblemCode::Internal,
                format!("{task}: the process can not be started"),
                "Check that Moorage is installed and that this user may start further processes.",
            ),
            error,
        )),
        Err(_) => Err(passing(
            ProblemCode::TimedOut,
            format!("{task} took longer than {} s", deadline.as_secs()),
            "Check that the database and the object store can be reached.",
        )),
    }
}

/// A command of which everything is heard; killed when it is dropped.
pub(crate) fn command(program: &Path, arguments: Vec<String>) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn output_of(mut command: Command, line: &Zeroizing<Vec<u8>>) -> std::io::Result<Output> {
    let (mut child, _kin) = own_process::start(&mut command)?;
    send(&mut child, line).await?;
    child.wait_with_output().await
}

/// Gives a command what it reads, and ends that.
///
/// # Errors
/// When it can not be given; that the command ended before it read it is none.
pub(crate) async fn send(child: &mut Child, line: &Zeroizing<Vec<u8>>) -> std::io::Result<()> {
    if let Some(mut pipe) = child.stdin.take() {
        let sent = pipe.write_all(line).await;
        // A process that ended before it read them says why.
        if let Err(error) = sent
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            return Err(error);
        }
    }
    Ok(())
}

/// An error as the command prints it with `--json`.
#[derive(Debug, Deserialize)]
struct Failure {
    error: String,
    kind: String,
    causes: Vec<String>,
    advice: Option<String>,
}

/// What the command said instead of an answer, as a problem.
pub(crate) fn failure(task: &str, output: &Output) -> Problem {
    let said = String::from_utf8_lossy(&output.stderr);
    let failure = said
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Failure>(line).ok());
    let Some(failure) = failure else {
        let what = format!("{task}: the process ended before it answered ({})", output.status);
        let problem = passing(
            ProblemCode::MountCrashed,
            what,
            "Try it again; what the process said last may tell more.",
        );
        return match said.trim() {
            "" => problem,
            said => caused(problem, said),
        };
    };
    let code = code_of(&failure.kind);
    Problem {
        code,
        message: failure.error,
        cause: (!failure.causes.is_empty()).then(|| failure.causes.join(": ")),
        advice: failure
            .advice
            .unwrap_or_else(|| "Look at the cause, and try it again when that is mended.".to_owned()),
        retryable: matches!(
            code,
            ProblemCode::Unreachable | ProblemCode::TimedOut | ProblemCode::DiskFull | ProblemCode::Internal
        ),
    }
}

/// The kinds of errors as the command names them.
fn code_of(kind: &str) -> ProblemCode {
    match kind {
        "InvalidArgument" | "NotDirectory" => ProblemCode::InvalidRequest,
        "NotFound" | "DatabaseMissing" | "NotFormatted" => ProblemCode::NotFound,
        "Busy" | "NotEmpty" => ProblemCode::MountPointBusy,
        "Exists" => ProblemCode::AlreadyExists,
        "Unauthenticated" => ProblemCode::Authentication,
        "AccessDenied" | "NotPermitted" | "ReadOnly" => ProblemCode::PermissionDenied,
        "Unavailable" | "Conflict" => ProblemCode::Unreachable,
        "Timeout" => ProblemCode::TimedOut,
        "NoSpace" => ProblemCode::DiskFull,
        "QuotaExceeded" => ProblemCode::QuotaExceeded,
        "NotSupported" | "VersionMismatch" => ProblemCode::NotSupported,
        _ => ProblemCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::os::unix::process::ExitStatusExt as _;
    #[cfg(windows)]
    use std::os::windows::process::ExitStatusExt as _;

    use super::*;

    fn ended_with(stderr: &str) -> Output {
        let six = if cfg!(unix) { 6 << 8 } else { 6 };
        Output {
            status: std::process::ExitStatus::from_raw(six),
            stdout: Vec::new(),
            stderr: stderr.as_bytes().to_vec(),
        }
    }

    #[test]
    fn what_the_command_says_becomes_a_problem_with_cause_and_advice() {
        let said = "WARN slow\n{\"error\":\"no answer\",\"kind\":\"Unavailable\",\"causes\":[\"a\",\"b\"],\
                    \"advice\":\"Wait.\",\"exit_code\":6}\n";
        let expected = Problem {
            code: ProblemCode::Unreachable,
            message: "no answer".to_owned(),
            cause: Some("a: b".to_owned()),
            advice: "Wait.".to_owned(),
            retryable: true,
        };
        assert_eq!(failure("photos", &ended_with(said)), expected);
    }

    #[test]
    fn a_command_that_dies_is_tried_again() {
        let problem = failure("photos", &ended_with("killed by hand"));
        assert_eq!(
            (problem.code, problem.retryable),
            (ProblemCode::MountCrashed, true)
        );
        assert_eq!(problem.cause.as_deref(), Some("killed by hand"));
    }
}
