//! The way between a process of a mount and the one that started it.
//!
//! A child's standard input is one end of a socket pair, and the child writes its report into it. So no further
//! descriptor has to be passed on. Secrets, when there are any, come the other way first.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use super::report::Report;

/// The starting side's end.
#[derive(Debug)]
pub(super) struct ReportReader {
    lines: BufReader<UnixStream>,
}

/// The other end, before its process has it.
#[derive(Debug)]
pub(super) struct ChildEnd(UnixStream);

impl ChildEnd {
    /// Makes it that of a command which is not started yet; its standard output and errors go to the log.
    pub(super) fn attach(self, command: &mut Command, output: impl Into<Stdio>, errors: impl Into<Stdio>) {
        command
            .stdin(Stdio::from(OwnedFd::from(self.0)))
            .stdout(output)
            .stderr(errors);
    }
}

impl ReportReader {
    /// Both ends.
    ///
    /// # Errors
    /// When no socket pair can be made.
    pub(super) fn pair() -> io::Result<(ReportReader, ChildEnd)> {
        let (own, other) = UnixStream::pair()?;
        let reader = ReportReader {
            lines: BufReader::new(own),
        };
        Ok((reader, ChildEnd(other)))
    }

    /// Sends the child what it takes from its standard input, before it starts.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn send(&self, line: &[u8]) -> io::Result<()> {
        self.lines.get_ref().write_all(line)
    }

    /// Waits for the report; `None` when the process ended without one. The child takes this process for gone when
    /// the reader is dropped ([`starter_gone`]).
    pub(super) fn wait(&mut self) -> Option<Report> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => serde_json::from_str(&line).ok(),
        }
    }
}

/// Sends something to the process that started this one.
///
/// # Errors
/// When it is gone.
pub(super) fn write_to_starter(line: &[u8]) -> io::Result<()> {
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stream.write_all(line)
}

/// Returns when the process that started this one has closed its end, as all do that end.
///
/// # Cancel safety
/// Safe: a thread goes on waiting.
pub(super) async fn starter_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    let watch = move || {
        let watched = || -> io::Result<()> {
            let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
            let mut rest = [0; 64];
            // What it sends is read where it is expected, before this.
            while stream.read(&mut rest)? > 0 {}
            Ok(())
        };
        let _nobody_asks = gone.send(watched());
    };
    // No thread of the runtime, whose end waits for its threads.
    let watching = std::thread::Builder::new().name("parent".to_owned()).spawn(watch);
    let watched = match watching {
        Ok(_) => told.await.unwrap_or(Ok(())),
        Err(error) => Err(error),
    };
    if let Err(error) = watched {
        tracing::debug!(%error, "the process that started this one is not watched");
        std::future::pending::<()>().await;
    }
}
