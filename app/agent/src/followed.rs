//! A `moorage` command as a child that says how far it is, and that can be told to end.

use std::io;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use moorage_control::job::JobProgress;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::child::{command, failure, line_of, send};
use crate::job::Cancelled;
use crate::own_process;
use crate::trouble::{caused, passing};

/// Longest line that is read: a report names ten thousand findings at most, each in some hundred bytes.
const LONGEST_LINE: u64 = 64 << 20;
/// Bytes that are kept of what the command says beside: its error stands at the end.
const MOST_SAID: usize = 64 << 10;
/// How long it may take to end when it is told to; then it is killed, which harms nothing.
const GRACE: Duration = Duration::from_secs(10);

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    /// With its result.
    Result(T),
    /// It was told to end before.
    Cancelled,
}

impl<T> Ending<T> {
    /// With what `change` makes of the result.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Ending<U> {
        match self {
            Ending::Result(result) => Ending::Result(change(result)),
            Ending::Cancelled => Ending::Cancelled,
        }
    }
}

/// Runs a command that understands `--json --follow`, for as long as it takes. It is told to end when `cancel` is;
/// `told` hears how far it is.
///
/// # Cancel safety
/// The command is killed.
///
/// # Errors
/// What the command says instead of a result; that it can not be started.
pub(crate) async fn follow<T: DeserializeOwned>(
    program: &Path,
    arguments: Vec<String>,
    secrets: &VolumeSecrets,
    task: &str,
    cancel: &mut Cancelled,
    told: impl Fn(JobProgress),
) -> Result<Ending<T>, Problem> {
    let ended = match own_process::start(&mut command(program, arguments)) {
        Ok((child, _kin)) => run(child, secrets, cancel, told).await,
        Err(error) => Err(error),
    };
    let (cancelled, output) = ended.map_err(|error| {
        caused(
            passing(
                ProblemCode::Internal,
                format!("{task}: the process can not be started or followed"),
                "Check that Moorage is installed and that this user may start further processes.",
            ),
            error,
        )
    })?;
    // A result stands also when it tells of something that is wrong, or came when it was too late to cancel.
    match serde_json::from_slice(&output.stdout) {
        Ok(result) => Ok(Ending::Result(result)),
        Err(_) if cancelled => Ok(Ending::Cancelled),
        Err(_) => Err(failure(task, &output)),
    }
}

/// Whether it was told to end, and what it said last.
async fn run(
    mut child: Child,
    secrets: &VolumeSecrets,
    cancel: &mut Cancelled,
    told: impl Fn(JobProgress),
) -> io::Result<(bool, Output)> {
    let pid = child.id();
    let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("it has no pipes"));
    };
    send(&mut child, &line_of(secrets)).await?;
    let work = async {
        let (result, said) = tokio::join!(listen(output, told), keep_end(errors));
        let status = child.wait().await?;
        let output = Output {
            status,
            stdout: result?,
            stderr: said,
        };
        Ok(output)
    };
    tokio::pin!(work);
    tokio::select! {
        ended = &mut work => return ended.map(|output| (false, output)),
        () = cancel.told() => {}
    }
    if let Some(pid) = pid {
        // It may have ended by itself at this moment.
        let _ended = moorage_host::ask_to_end(pid);
    }
    let output = match timeout(GRACE, &mut work).await {
        Ok(ended) => ended?,
        Err(_) => {
            if let Some(pid) = pid {
                let _ended = moorage_host::end_at_once(pid);
            }
            work.await?
        }
    };
    Ok((true, output))
}

#[derive(Deserialize)]
struct ProgressLine {
    progress: JobProgress,
}

/// Until the end of the output; gives the last line that tells no progress.
async fn listen(output: impl AsyncRead + Unpin, told: impl Fn(JobProgress)) -> io::Result<Vec<u8>> {
    let mut output = BufReader::new(output);
    let mut result = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = (&mut output)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await?;
        if read == 0 {
            return Ok(result);
        }
        match serde_json::from_slice::<ProgressLine>(&line) {
            Ok(line) => told(line.progress),
            Err(_) => result = line,
        }
    }
}

/// Until the end of the errors; gives the last of them.
async fn keep_end(mut errors: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut end = Vec::new();
    let mut part = vec![0; MOST_SAID];
    // What can not be read any more was not said.
    while let Ok(read) = errors.read(&mut part).await
        && read > 0
    {
        end.extend(part.iter().take(read));
        let surplus = end.len().saturating_sub(MOST_SAID);
        end.drain(..surplus);
    }
    end
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use moorage_control::job::JobPhase;

    use super::*;

    #[tokio::test]
    async fn progress_is_told_and_the_last_other_line_is_the_result() {
        let said: &[u8] = b"{\"progress\":{\"phase\":null,\"done\":1,\"total\":null,\"bytes\":0}}\n\
            {\"progress\":{\"phase\":\"contents\",\"done\":2,\"total\":9,\"bytes\":7}}\n{\"nodes\":1}\n";
        let told = RefCell::new(Vec::new());
        let result = listen(said, |progress| told.borrow_mut().push(progress)).await;
        assert_eq!(result.expect("read"), b"{\"nodes\":1}\n");
        let told: Vec<_> = told
            .into_inner()
            .iter()
            .map(|progress: &JobProgress| (progress.phase, progress.done, progress.total))
            .collect();
        assert_eq!(told, [(None, 1, None), (Some(JobPhase::Contents), 2, Some(9))]);
    }

    #[tokio::test]
    async fn of_what_is_said_beside_the_end_is_kept() {
        let said = [vec![b'a'; MOST_SAID], b"end".to_vec()].concat();
        let kept = keep_end(said.as_slice()).await;
        assert_eq!(kept.len(), MOST_SAID);
        assert!(kept.ends_with(b"aend"));
    }
}
