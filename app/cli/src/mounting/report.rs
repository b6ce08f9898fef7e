//! How a mount tells whoever started it that it answers, or why it does not: one line of JSON, over [`super::channel`].

use moorage_model::{Error, Result};
use serde::{Deserialize, Serialize};

use super::channel;
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

/// Sends a report to the process that started this one.
///
/// # Errors
/// When it is gone.
pub(crate) fn to_parent(report: &Report) -> Result<()> {
    let send = || -> std::io::Result<()> {
        let mut line = serde_json::to_string(report)?;
        line.push('\n');
        channel::write_to_starter(line.as_bytes())
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
        let (mut reader, other) = channel::ReportReader::pair().expect("pair");
        drop(other);
        assert_eq!(reader.wait(), None);
    }
}
