//! Progress of long work on standard error: a moving line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

/// Between two plain lines: often enough to show life, seldom enough for a log.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);
/// Between two pictures of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// Counts units of work. Clones count together; shared with the tasks that do the work.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    what: String,
    unit: &'static str,
    done: AtomicU64,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines(Mutex<Instant>),
    Nothing,
}

impl Progress {
    pub(crate) fn start(what: &str, unit: &'static str, quiet: bool) -> Progress {
        let shown = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Bar(spinner(what)),
            (false, false) => Shown::Lines(Mutex::new(Instant::now())),
        };
        Progress {
            shared: Arc::new(Shared {
                what: what.to_owned(),
                unit,
                done: AtomicU64::new(0),
                shown,
            }),
        }
    }

    /// Some more units are done.
    pub(crate) fn add(&self, units: u64) {
        let done = self.shared.done.fetch_add(units, Ordering::Relaxed) + units;
        self.show(done);
    }

    /// So many units are done altogether.
    pub(crate) fn set(&self, done: u64) {
        self.shared.done.store(done, Ordering::Relaxed);
        self.show(done);
    }

    /// How much is to be done, once that is known.
    pub(crate) fn expect(&self, total: u64) {
        if let Shown::Bar(bar) = &self.shared.shown {
            bar.set_length(total);
            bar.set_style(bar_style());
        }
    }

    fn show(&self, done: u64) {
        match &self.shared.shown {
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines(last) => {
                let mut last = last.lock();
                if last.elapsed() >= PLAIN_INTERVAL {
                    *last = Instant::now();
                    eprintln!("{}: {done} {}", self.shared.what, self.shared.unit);
                }
            }
            Shown::Nothing => {}
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} ({per_sec}, {elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner()
        .with_style(style)
        .with_message(what.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} ({per_sec}, {eta} left)")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
