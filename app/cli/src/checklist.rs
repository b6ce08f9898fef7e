//! The lines of the list: what was tried, how it ended and how long it took.

use std::future::Future;
use std::time::Duration;

use moorage_control::check::{CheckLine, CheckOutcome, CheckStep, Checklist};
use moorage_control::problem::Problem;
use moorage_model::{Error, ErrorKind, Result};
use tokio::time::Instant;

use crate::agent::problem_of;
use crate::output::plain;

/// Longest a step may take: a person waits for all of them.
const STEP_DEADLINE: Duration = Duration::from_secs(10);

/// What was tried so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    lines: Vec<CheckLine>,
}

impl Steps {
    /// Tries `work` and keeps what came of it; its value when it is good.
    pub(crate) async fn attempt<T>(
        &mut self,
        step: CheckStep,
        work: impl Future<Output = Result<T>>,
    ) -> Option<T> {
        self.attempt_within(STEP_DEADLINE, step, work).await
    }

    /// As [`Steps::attempt`], with another deadline.
    pub(crate) async fn attempt_within<T>(
        &mut self,
        deadline: Duration,
        step: CheckStep,
        work: impl Future<Output = Result<T>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let done = within(deadline, work).await;
        let elapsed = begun.elapsed();
        match done {
            Ok(value) => {
                self.pass(step, elapsed);
                Some(value)
            }
            Err(error) => {
                self.fail(step, elapsed, &error);
                None
            }
        }
    }

    /// Adds a good line.
    pub(crate) fn pass(&mut self, step: CheckStep, elapsed: Duration) {
        self.add(step, CheckOutcome::Passed, elapsed);
    }

    /// Adds a line that is good enough.
    pub(crate) fn warn(&mut self, step: CheckStep, elapsed: Duration, problem: Problem) {
        self.add(step, CheckOutcome::Warned { problem }, elapsed);
    }

    /// Adds a failed line.
    pub(crate) fn fail(&mut self, step: CheckStep, elapsed: Duration, error: &Error) {
        let problem = problem_of(error);
        self.add(step, CheckOutcome::Failed { problem }, elapsed);
    }

    fn add(&mut self, step: CheckStep, outcome: CheckOutcome, elapsed: Duration) {
        self.lines.push(CheckLine {
            step,
            outcome,
            elapsed: Some(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)),
        });
    }

    /// The list of `wanted` steps in their order; those that were not tried are skipped.
    pub(crate) fn finish(mut self, wanted: &[CheckStep]) -> Checklist {
        let lines = wanted.iter().map(|&step| {
            let tried = self.lines.iter().position(|line| line.step == step);
            tried.map_or(
                CheckLine {
                    step,
                    outcome: CheckOutcome::Skipped,
                    elapsed: None,
                },
                |at| self.lines.swap_remove(at),
            )
        });
        Checklist {
            lines: lines.collect(),
        }
    }
}

/// Ends `work` that takes too long.
///
/// # Errors
/// The work's; `Timeout`.
pub(crate) async fn within_deadline<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    within(STEP_DEADLINE, work).await
}

async fn within<T>(deadline: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Timeout,
            format!("no answer within {} s", deadline.as_secs()),
        )
        .with_advice("Check the address, the network and what stands between this computer and the server."))
    })
}

/// How many steps of a list failed.
pub(crate) fn failed(list: &Checklist) -> u64 {
    let failed = |line: &&CheckLine| matches!(line.outcome, CheckOutcome::Failed { .. });
    list.lines.iter().filter(failed).count() as u64
}

/// The list for a terminal: a line for each step, and below it what is wrong and what to do.
pub(crate) fn describe(list: &Checklist) -> String {
    let mut text = String::new();
    for line in &list.lines {
        let (mark, problem) = match &line.outcome {
            CheckOutcome::Passed => ("ok", None),
            CheckOutcome::Warned { problem } => ("warning", Some(problem)),
            CheckOutcome::Failed { problem } => ("FAILED", Some(problem)),
            CheckOutcome::Skipped => ("skipped", None),
        };
        let time = line
            .elapsed
            .map_or(String::new(), |elapsed| format!("{elapsed} ms"));
        text.push_str(format!("{mark:<8} {:<28} {time:>8}", words(line.step)).trim_end());
        text.push('\n');
        if let Some(problem) = problem {
            let cause = problem.cause.as_ref().map(|cause| format!(": {cause}"));
            let what = format!("{}{}", problem.message, cause.unwrap_or_default());
            for said in [&what, &problem.advice] {
                text.push_str(&format!("{:9}{}\n", "", plain(said)));
            }
        }
    }
    text
}

fn words(step: CheckStep) -> &'static str {
    match step {
        CheckStep::Dns => "name of the store's host",
        CheckStep::Tcp => "connection to the store",
        CheckStep::Tls => "certificate of the store",
        CheckStep::Authentication => "keys of the store",
        CheckStep::Put => "write an object",
        CheckStep::Get => "read it back",
        CheckStep::List => "list objects",
        CheckStep::Delete => "delete the object",
        CheckStep::ClockSkew => "clocks",
        CheckStep::Latency => "time of a request",
        CheckStep::MetadataPing => "database",
        CheckStep::PrefixEmpty => "place for the volume is free",
        CheckStep::Driver => "driver for mounting",
        CheckStep::Folders => "folders of Moorage",
        CheckStep::DiskSpace => "space on their disks",
        CheckStep::Agent => "agent",
        CheckStep::SecretStore => "store of passwords",
        CheckStep::TrialVolume => "make a volume for trial",
        CheckStep::TrialMount => "mount it, write and read",
        CheckStep::TrialCheck => "unmount and check it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_that_never_answers_ends_and_the_next_ones_are_skipped() {
        let mut steps = Steps::default();
        let begun = Instant::now();
        let done = steps
            .attempt(CheckStep::Dns, std::future::pending::<Result<()>>())
            .await;
        assert_eq!((done, begun.elapsed()), (None, STEP_DEADLINE));
        let list = steps.finish(&[CheckStep::Dns, CheckStep::Tcp]);
        assert_eq!(failed(&list), 1);
        let outcomes: Vec<bool> = list
            .lines
            .iter()
            .map(|line| line.outcome == CheckOutcome::Skipped)
            .collect();
        assert_eq!(outcomes, [false, true]);
    }

    #[test]
    fn a_failed_step_says_what_and_what_to_do() {
        let mut steps = Steps::default();
        let error = Error::new(ErrorKind::Unauthenticated, "the key is refused")
            .with_source(std::io::Error::other("HTTP 403"))
            .with_advice("Give another.");
        steps.fail(CheckStep::Authentication, Duration::from_millis(95), &error);
        let list = steps.finish(&[CheckStep::Authentication, CheckStep::Put]);
        let expected = "\
FAILED   keys of the store               95 ms
         the key is refused: HTTP 403
         Give another.
skipped  write an object
";
        assert_eq!(describe(&list), expected);
    }
}
