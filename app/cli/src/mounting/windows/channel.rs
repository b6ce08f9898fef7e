//! The way between a process of a mount and the one that started it.
//!
//! A child reads from its standard input, which ends with whoever started it, and writes its report to its standard
//! output. On the way to it go secrets, when there are any, and later the word to end: there are no signals here.

use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tokio::sync::watch;

use super::report::Report;

/// The line that tells a mount to end.
const END: &str = "end";

/// The starting side's end.
#[derive(Debug)]
pub(super) struct ReportReader {
    lines: BufReader<PipeReader>,
    to_child: PipeWriter,
}

/// The other end, before its process has it.
#[derive(Debug)]
pub(super) struct ChildEnd {
    input: PipeReader,
    output: PipeWriter,
}

impl ChildEnd {
    /// Makes it that of a command which is not started yet; its errors go to the log, and so would its output, which is
    /// the way back.
    pub(super) fn attach(self, command: &mut Command, _output: impl Into<Stdio>, errors: impl Into<Stdio>) {
        command.stdin(self.input).stdout(self.output).stderr(errors);
    }
}

impl ReportReader {
    /// Both ends.
    ///
    /// # Errors
    /// When no pipe can be made.
    pub(super) fn pair() -> io::Result<(ReportReader, ChildEnd)> {
        let (input, to_child) = io::pipe()?;
        let (lines, output) = io::pipe()?;
        let reader = ReportReader {
            lines: BufReader::new(lines),
            to_child,
        };
        Ok((reader, ChildEnd { input, output }))
    }

    /// Sends the child what it takes from its standard input, before it starts.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn send(&self, line: &[u8]) -> io::Result<()> {
        (&self.to_child).write_all(line)
    }

    /// Waits for the report; `None` when the process ended without one. The child takes this process for gone when
    /// the reader and what [`ReportReader::teller`] gave are dropped ([`starter_gone`]).
    pub(super) fn wait(&mut self) -> Option<Report> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => serde_json::from_str(&line).ok(),
        }
    }

    /// What tells the child to end.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn teller(&self) -> io::Result<Teller> {
        Ok(Teller(self.to_child.try_clone()?))
    }
}

/// Tells a child to end.
#[derive(Debug)]
pub(super) struct Teller(PipeWriter);

impl Teller {
    /// Tells it, which [`told_to_end`] returns from.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn tell_to_end(&self) -> io::Result<()> {
        (&self.0).write_all(format!("{END}\n").as_bytes())
    }
}

/// Sends something to the process that started this one.
///
/// # Errors
/// When it is gone.
pub(super) fn write_to_starter(line: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(line).and_then(|()| output.flush())
}

/// What was heard of the process that started this one.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    told_to_end: bool,
    is_gone: bool,
}

/// Listens to the process that started this one, from the first call on: what it sends for its own end is read before.
fn heard() -> watch::Receiver<Heard> {
    static HEARD: OnceLock<watch::Receiver<Heard>> = OnceLock::new();
    let listen = || {
        let (tell, told) = watch::channel(Heard::default());
        let listen = move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                if line == END {
                    tell.send_modify(|heard| heard.told_to_end = true);
                }
            }
            tell.send_modify(|heard| heard.is_gone = true);
        };
        // No thread of the runtime, whose end waits for its threads.
        let listening = std::thread::Builder::new()
            .name("starter".to_owned())
            .spawn(listen);
        if let Err(error) = listening {
            tracing::debug!(%error, "the process that started this one is not watched");
        }
        told
    };
    HEARD.get_or_init(listen).clone()
}

/// Returns when the process that started this one has closed its end, as all do that end.
///
/// # Cancel safety
/// Safe.
pub(super) async fn starter_gone() {
    until(|heard| heard.is_gone).await;
}

/// Returns when the process that started this one tells it to end.
///
/// # Cancel safety
/// Safe.
pub(super) async fn told_to_end() {
    until(|heard| heard.told_to_end).await;
}

async fn until(condition: impl FnMut(&Heard) -> bool) {
    let mut heard = heard();
    let came = heard.wait_for(condition).await.is_ok();
    if !came {
        std::future::pending::<()>().await;
    }
}
