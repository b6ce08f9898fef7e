//! How a mount tells whoever started it that it answers, or why it does not.
//!
//! A child's standard input is one end of a socket pair, and the child writes a line of JSON into it. So no further
//! descriptor has to be passed on. Secrets, when there are any, come the other way first.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use moorage_model::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure;
use crate::logging::StartWarnings;

/// The first thing a starting mount says.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// What it warned of until then, as its log has it.
    pub(crate) warnings: String,
    /// How it went.
    pub(crate) outcome: Outcome,
}

/// How the start of a mount went.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It answers.
    Mounted {
        /// Name of the volume.
        volume: String,
    },
    /// It does not, and its process ends.
    Failed {
        /// The error as it is shown.
        text: String,
        /// The error as a program reads it.
        json: serde_json::Value,
        /// The exit code for it.
        code: u8,
    },
}

impl Report {
    /// The report of an error.
    pub(crate) fn failure(error: &Error, warnings: String) -> Report {
        let (text, code) = failure::described(error);
        let json = failure::described_as_json(error);
        Report {
            warnings,
            outcome: Outcome::Failed { text, json, code },
        }
    }

    /// Whether the mount answers.
    pub(crate) fn is_mounted(&self) -> bool {
        matches!(self.outcome, Outcome::Mounted { .. })
    }
}

/// The starting side's end.
#[derive(Debug)]
pub(crate) struct ReportReader {
    lines: BufReader<UnixStream>,
}

impl ReportReader {
    /// A reader, and the standard input for the child that reports.
    ///
    /// # Errors
    /// When no socket pair can be made.
    pub(crate) fn pair() -> std::io::Result<(ReportReader, Stdio)> {
        let (own, other) = UnixStream::pair()?;
        let reader = ReportReader {
            lines: BufReader::new(own),
        };
        Ok((reader, Stdio::from(std::os::fd::OwnedFd::from(other))))
    }

    /// Sends the child what it takes from its standard input, before it starts.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn send(&self, line: &[u8]) -> std::io::Result<()> {
        self.lines.get_ref().write_all(line)
    }

    /// Waits for the report; `None` when the process ended without one. The child takes this process for gone when
    /// the reader is dropped ([`parent_gone`]).
    pub(crate) fn wait(&mut self) -> Option<Report> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => serde_json::from_str(&line).ok(),
        }
    }
}

/// Where a mount reports to.
#[derive(Debug)]
pub(crate) enum Reporter {
    /// A person at a terminal.
    Terminal(Context),
    /// The process that started it, through standard input; it is told the warnings too.
    Parent(StartWarnings),
}

impl Reporter {
    /// Says why the mount does not answer, or did not end well; a person is told by the command itself.
    pub(crate) fn failed(&self, error: &Error) {
        if let Reporter::Parent(warnings) = self
            && let Err(gone) = to_parent(&Report::failure(error, warnings.take()))
        {
            tracing::debug!(error = %gone, "nobody waits for this mount");
        }
    }

    /// Says that the mount answers. `told` is what a person reads.
    ///
    /// # Errors
    /// When the process that waits for the report is gone.
    pub(crate) fn mounted(&self, volume: &str, told: &str) -> Result<()> {
        match self {
            Reporter::Terminal(context) => {
                context.say(told);
                Ok(())
            }
            Reporter::Parent(warnings) => to_parent(&Report {
                warnings: warnings.take(),
                outcome: Outcome::Mounted {
                    volume: volume.to_owned(),
                },
            }),
        }
    }

    /// Whether nobody wants to see progress; a log does.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Reporter::Terminal(context) => context.is_quiet(),
            Reporter::Parent(_) => false,
        }
    }
}

/// Returns when the process that started this one has closed its end, as all do that end.
///
/// # Cancel safety
/// Safe: a thread goes on waiting.
pub(crate) async fn parent_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    let watch = move || {
        let watched = || -> std::io::Result<()> {
            let mut stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
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

/// Sends a report to the process that started this one.
///
/// # Errors
/// When it is gone.
pub(crate) fn to_parent(report: &Report) -> Result<()> {
    let send = || -> std::io::Result<()> {
        let mut line = serde_json::to_string(report)?;
        line.push('\n');
        let mut stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        stream.write_all(line.as_bytes())
    };
    send().map_err(|error| {
        Error::new(
            moorage_model::ErrorKind::BrokenPipe,
            "the command that started this mount is gone",
        )
        .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_way_to_the_parent() {
        let error = Error::new(moorage_model::ErrorKind::NotFound, "no folder /a").with_advice("Make it.");
        let report = Report::failure(&error, "WARN no bucket\n".to_owned());
        let line = serde_json::to_string(&report).expect("JSON");
        assert_eq!(serde_json::from_str::<Report>(&line).expect("report"), report);
        assert!(line.contains("Make it.") && line.contains("\"code\":3"), "{line}");
    }

    #[test]
    fn a_process_that_ends_without_a_report_is_noticed() {
        let (mut reader, other) = ReportReader::pair().expect("pair");
        drop(other);
        assert_eq!(reader.wait(), None);
    }
}
