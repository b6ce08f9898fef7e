//! How far long work is, for a program: lines of JSON on standard output while it goes on, and last the result.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use moorage_meta::admin::{Progress, ProgressCounts};
use moorage_model::{Error, Result};
use serde::Serialize;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::progress::{Watcher, Work};

/// Between two lines: smooth enough for a bar, and little to read for what draws it.
const LINE_INTERVAL: Duration = Duration::from_millis(500);

/// A part of the work that is counted by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// What is done in it.
    pub(crate) work: Work,
    /// Its name for a program; absent where the work has one part.
    pub(crate) code: Option<&'static str>,
}

/// The choice to hear of the work while it goes on.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FollowArguments {
    /// Print one line of JSON after another: {"progress": {"phase": …, "done": …, "total": …, "bytes": …}} at most twice a
    /// second, and the result as the last line; "total" is null while that is not known. The phases of a check are
    /// "records", "objects" and "contents", and each is counted by itself; elsewhere the phase is null. The work ends when
    /// nobody reads them any more
    #[arg(long, requires = "json")]
    follow: bool,
}

impl FollowArguments {
    /// Runs `job` and tells how far its `counts` are: here, or as [`Context::watch`] does.
    pub(crate) async fn watch<T>(
        self,
        context: &Context,
        phase: Phase,
        counts: &Arc<Progress>,
        job: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !self.follow {
            return context.watch(phase.work, counts, job).await;
        }
        let mut teller = Teller {
            phase: phase.code,
            told: None,
        };
        // At once, so that whoever reads it knows that the work has begun.
        teller.tell(counts.counts())?;
        let (gone, nobody_hears) = oneshot::channel();
        let watcher = Watcher::begin(tell(teller, Arc::clone(counts), gone));
        let output = heard(job, nobody_hears).await;
        watcher.end().await;
        output
    }

    /// Prints the result as [`output::print`] does, or as the last line.
    ///
    /// # Errors
    /// `Io` when standard output can not be written.
    pub(crate) fn print<T: Serialize>(
        self,
        arguments: OutputArguments,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        if self.follow {
            output::line(&output::json_line(value)?)
        } else {
            output::print(arguments, value, text)
        }
    }
}

/// Does the work for as long as somebody hears of it: whoever started it would otherwise not know that it goes on.
async fn heard<T>(job: impl Future<Output = Result<T>>, nobody_hears: oneshot::Receiver<Error>) -> Result<T> {
    tokio::select! {
        output = job => output,
        Ok(error) = nobody_hears => Err(error),
    }
}

async fn tell(mut teller: Teller, counts: Arc<Progress>, gone: oneshot::Sender<Error>) {
    let mut ticks = tokio::time::interval(LINE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and that line is printed.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = teller.tell(counts.counts()) {
            // The work may have ended at this moment.
            let _ended = gone.send(error);
            return;
        }
    }
}

/// Says each count once.
#[derive(Debug)]
struct Teller {
    /// The part of the work that is counted; absent where it has none.
    phase: Option<&'static str>,
    told: Option<ProgressCounts>,
}

impl Teller {
    fn tell(&mut self, counts: ProgressCounts) -> Result<()> {
        self.line(counts).map_or(Ok(()), |line| output::line(&line))
    }

    fn line(&mut self, counts: ProgressCounts) -> Option<String> {
        if self.told == Some(counts) {
            return None;
        }
        self.told = Some(counts);
        let total = (counts.expected > 0).then_some(counts.expected);
        let progress = json!({
            "phase": self.phase,
            "done": counts.done,
            "total": total,
            "bytes": counts.bytes,
        });
        Some(json!({ "progress": progress }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use moorage_model::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn work_ends_when_nobody_hears_of_it_and_otherwise_by_itself() {
        let (gone, nobody_hears) = oneshot::channel();
        gone.send(Error::new(ErrorKind::Io, "the pipe is closed"))
            .expect("sent");
        let ended = heard(pending::<Result<()>>(), nobody_hears).await;
        assert_eq!(ended.map_err(|error| error.kind()), Err(ErrorKind::Io));
        let (gone, nobody_hears) = oneshot::channel();
        drop(gone);
        assert_eq!(heard(ready(Ok(7)), nobody_hears).await.ok(), Some(7));
    }

    #[test]
    fn each_count_is_said_once_and_a_total_only_when_it_is_known() {
        let mut teller = Teller {
            phase: Some("records"),
            told: None,
        };
        let mut counts = ProgressCounts::default();
        let nothing = r#"{"progress":{"phase":"records","done":0,"total":null,"bytes":0}}"#;
        assert_eq!(teller.line(counts).as_deref(), Some(nothing));
        assert_eq!(teller.line(counts), None);
        counts.done = 7;
        counts.expected = 9;
        counts.bytes = 5;
        let some = r#"{"progress":{"phase":"records","done":7,"total":9,"bytes":5}}"#;
        assert_eq!(teller.line(counts).as_deref(), Some(some));
    }
}
