//! Progress of long work on standard error: a moving line on a terminal, a plain line now and then elsewhere.

use std::future::Future;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use moorage_meta::admin::{Progress, ProgressCounts};
use moorage_model::Result;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::noun::Noun;
use crate::{output, size};

/// Between two looks at the counts: smooth for an eye.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Between two plain lines: often enough to show life, seldom enough for a log.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The moving line speaks of many, since its number changes.
const MANY: u64 = 2;

/// What is being done, and what it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// As in "Removing".
    pub(crate) title: &'static str,
    /// As in "entries".
    pub(crate) unit: Noun,
}

/// Runs `job` and shows how far its `counts` are, unless `quiet`.
///
/// The display is a task of its own: a job on a local database may never have to wait, and would not let it in.
pub(crate) async fn watch<T>(
    work: Work,
    quiet: bool,
    counts: &Arc<Progress>,
    job: impl Future<Output = Result<T>>,
) -> Result<T> {
    if quiet {
        return job.await;
    }
    let watcher = Watcher::begin(show(work, Arc::clone(counts)));
    let output = job.await;
    watcher.end().await;
    output
}

async fn show(work: Work, counts: Arc<Progress>) {
    let mut display = Display::new(work);
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        display.show(counts.counts());
    }
}

/// The task of a display; ended when dropped.
pub(crate) struct Watcher(JoinHandle<()>);

impl Watcher {
    /// Begins it beside the work.
    pub(crate) fn begin(display: impl Future<Output = ()> + Send + 'static) -> Watcher {
        Watcher(tokio::spawn(display))
    }

    /// Ends it and waits until its line is gone, so that results are not printed into it.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where progress goes; the moving line disappears when dropped.
#[derive(Debug)]
pub(crate) enum Display {
    Bar { bar: ProgressBar, unit: Noun },
    Lines { work: Work, last: Instant },
}

impl Display {
    pub(crate) fn new(work: Work) -> Display {
        if std::io::stderr().is_terminal() {
            Display::Bar {
                bar: spinner(work),
                unit: work.unit,
            }
        } else {
            Display::Lines {
                work,
                last: Instant::now(),
            }
        }
    }

    /// Shows how far the work is.
    pub(crate) fn show(&mut self, counts: ProgressCounts) {
        match self {
            Display::Bar { bar, unit } => {
                if counts.bytes > 0 {
                    bar.set_prefix(format!("{}, {}", unit.word(MANY), size::show(counts.bytes)));
                }
                if counts.expected > 0 && bar.length() != Some(counts.expected) {
                    bar.set_length(counts.expected);
                    bar.set_style(bar_style());
                }
                bar.set_position(counts.done);
                bar.tick();
            }
            Display::Lines { work, last } => {
                if last.elapsed() >= PLAIN_INTERVAL {
                    *last = Instant::now();
                    output::tell(&format!("{}: {}", work.title, in_words(*work, counts)));
                }
            }
        }
    }

    /// Says a sentence above the moving line.
    pub(crate) fn say(&self, sentence: &str) {
        match self {
            Display::Bar { bar, .. } => bar.suspend(|| output::tell(sentence)),
            Display::Lines { .. } => output::tell(sentence),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Display::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn in_words(work: Work, counts: ProgressCounts) -> String {
    let mut words = counts.done.to_string();
    if counts.expected > 0 {
        words.push_str(&format!(" of {}", counts.expected));
    }
    words.push(' ');
    words.push_str(work.unit.word(counts.expected.max(counts.done)));
    if counts.bytes > 0 {
        words.push_str(&format!(", {}", size::show(counts.bytes)));
    }
    words
}

fn spinner(work: Work) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} {prefix} ({per_sec}, {elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner()
        .with_style(style)
        .with_message(work.title)
        .with_prefix(work.unit.word(MANY))
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {prefix} ({per_sec}, {eta} left)")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noun::ENTRIES;

    #[test]
    fn plain_lines_say_how_much_of_what() {
        let work = Work {
            title: "Removing",
            unit: ENTRIES,
        };
        let mut counts = ProgressCounts {
            done: 7,
            ..ProgressCounts::default()
        };
        assert_eq!(in_words(work, counts), "7 entries");
        counts.expected = 9;
        counts.bytes = 2048;
        assert_eq!(in_words(work, counts), "7 of 9 entries, 2.0 KiB");
    }
}
