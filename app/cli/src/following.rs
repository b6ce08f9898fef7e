//! How far long work is, for a program: lines of JSON on standard output while it goes on, and last the result.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use moorage_meta::admin::{Progress, ProgressCounts};
use moorage_model::Result;
use serde::Serialize;
use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::progress::{Watcher, Work};

/// Between two lines: smooth enough for a bar, and little to read for what draws it.
const LINE_INTERVAL: Duration = Duration::from_millis(500);

/// The choice to hear of the work while it goes on.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FollowArguments {
    /// Print one line of JSON after another: {"progress": {"done": …, "total": …, "bytes": …}} at most twice a second,
    /// and the result as the last line; "total" is null while that is not known
    #[arg(long, requires = "json")]
    follow: bool,
}

impl FollowArguments {
    /// Runs `job` and tells how far its `counts` are: here, or as [`Context::watch`] does.
    pub(crate) async fn watch<T>(
        self,
        context: &Context,
        work: Work,
        counts: &Arc<Progress>,
        job: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !self.follow {
            return context.watch(work, counts, job).await;
        }
        let mut teller = Teller::default();
        // At once, so that whoever reads it knows that the work has begun.
        teller.tell(counts.counts())?;
        let watcher = Watcher::begin(tell(teller, Arc::clone(counts)));
        let output = job.await;
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

async fn tell(mut teller: Teller, counts: Arc<Progress>) {
    let mut ticks = tokio::time::interval(LINE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and that line is printed.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if teller.tell(counts.counts()).is_err() {
            // The result will say so.
            return;
        }
    }
}

/// Says each count once.
#[derive(Debug, Default)]
struct Teller {
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
        let progress = json!({"done": counts.done, "total": total, "bytes": counts.bytes});
        Some(json!({ "progress": progress }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_said_once_and_a_total_only_when_it_is_known() {
        let mut teller = Teller::default();
        let mut counts = ProgressCounts::default();
        let nothing = r#"{"progress":{"done":0,"total":null,"bytes":0}}"#;
        assert_eq!(teller.line(counts).as_deref(), Some(nothing));
        assert_eq!(teller.line(counts), None);
        counts.done = 7;
        counts.expected = 9;
        counts.bytes = 5;
        let some = r#"{"progress":{"done":7,"total":9,"bytes":5}}"#;
        assert_eq!(teller.line(counts).as_deref(), Some(some));
    }
}
