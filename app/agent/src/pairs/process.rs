//! The process that keeps a pair in sync: orders go to its standard input, reports come from its output, what it logs goes
//! where the agent's log goes.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use moorage_control::sync_work::{LONGEST_LINE, SyncOrder, SyncReport, SyncTask};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::own_process;

/// Orders that wait to be read; a person gives them.
const MOST_ORDERS: usize = 8;
/// How long a process may take to end when its input has ended; then it is killed, which harms nothing.
const GRACE: Duration = Duration::from_secs(2);

/// A running process. Dropping it tells the process to end.
pub(crate) struct PairProcess {
    pub(crate) orders: mpsc::Sender<SyncOrder>,
    /// Ends when the process has.
    pub(crate) task: JoinHandle<()>,
}

/// Starts the process. `told` hears what it says; `crashed` why it ended, when nobody told it to.
pub(crate) fn start(
    program: &Path,
    task: SyncTask,
    told: impl Fn(SyncReport) + Send + Sync + 'static,
    crashed: impl FnOnce(String) + Send + 'static,
) -> PairProcess {
    let (orders, queue) = mpsc::channel(MOST_ORDERS);
    let mut command = Command::new(program);
    command
        .args(["pair", "keep"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let task = tokio::spawn(async move {
        let ended = match own_process::start(&mut command) {
            Ok((child, _kin)) => run(child, &task, queue, told).await,
            Err(error) => Some(format!("it can not be started: {error}")),
        };
        if let Some(why) = ended {
            crashed(why);
        }
    });
    PairProcess { orders, task }
}

/// Why it ended, when nobody told it to.
async fn run(
    mut child: Child,
    task: &SyncTask,
    queue: mpsc::Receiver<SyncOrder>,
    told: impl Fn(SyncReport),
) -> Option<String> {
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Some("it has no pipes".to_owned());
    };
    let broken = tokio::select! {
        heard = listen(output, told) => Some(heard),
        given = order(input, task, queue) => given.err().map(Err),
    };
    // Its input has ended by now.
    let status = match timeout(GRACE, child.wait()).await {
        Ok(status) => status.map(|status| status.to_string()),
        Err(_) => child.kill().await.map(|()| "it had to be killed".to_owned()),
    };
    let status = status.unwrap_or_else(|error| error.to_string());
    broken.map(|broken| match broken {
        Ok(()) => status,
        Err(error) => format!("{status} ({error})"),
    })
}

/// Until the end of its output.
async fn listen(output: ChildStdout, told: impl Fn(SyncReport)) -> io::Result<()> {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        let read = (&mut output).take(limit).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(());
        }
        told(serde_json::from_slice(&line)?);
    }
}

/// Until nobody gives orders any more.
async fn order(
    mut input: ChildStdin,
    task: &SyncTask,
    mut queue: mpsc::Receiver<SyncOrder>,
) -> io::Result<()> {
    input.write_all(&line(task)?).await?;
    while let Some(order) = queue.recv().await {
        input.write_all(&line(&order)?).await?;
    }
    Ok(())
}

/// A value as a line.
pub(super) fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
