//! The rows of the comparison, one file per group.

mod files;
mod metadata;
mod stream;
mod trees;
mod verbs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::report::Unit;

/// What every round runs.
pub(crate) struct Plan {
    /// The tar of small files.
    pub(crate) tree: PathBuf,
    /// A folder on the disk that all contenders keep their files on.
    pub(crate) disk: PathBuf,
    /// Divides every amount of work.
    pub(crate) divide: u64,
    /// Only groups whose name contains this.
    pub(crate) only: Option<String>,
}

/// What a group of rows works with.
pub(crate) struct Bench<'a> {
    /// Empty at first; each group cleans up behind itself.
    pub(crate) directory: &'a Path,
    /// Amounts.
    pub(crate) plan: &'a Plan,
    /// Forgets every cache.
    pub(crate) cool: &'a mut dyn FnMut() -> Result<()>,
    /// Results.
    pub(crate) figures: &'a mut Vec<(&'static str, Unit, f64)>,
}

impl Bench<'_> {
    fn amount(&self, full: u64) -> u64 {
        (full / self.plan.divide).max(1)
    }

    fn rate(&mut self, name: &'static str, count: u64, time: Duration) {
        self.figures
            .push((name, Unit::PerSecond, count as f64 / time.as_secs_f64()));
    }

    fn seconds(&mut self, name: &'static str, time: Duration) {
        self.figures.push((name, Unit::Seconds, time.as_secs_f64()));
    }

    fn throughput(&mut self, name: &'static str, bytes: u64, time: Duration) {
        self.figures.push((
            name,
            Unit::MebibytesPerSecond,
            bytes as f64 / f64::from(1 << 20) / time.as_secs_f64(),
        ));
    }

    fn each(&mut self, name: &'static str, count: u64, time: Duration) {
        self.figures
            .push((name, Unit::Microseconds, time.as_secs_f64() * 1e6 / count as f64));
    }
}

/// A group of rows that share their files.
pub(crate) struct Group {
    /// Name for `--only`.
    pub(crate) group: &'static str,
    /// Whether it needs a file system that keeps what is written.
    pub(crate) writes: bool,
    /// Runs it.
    pub(crate) run: fn(&mut Bench<'_>) -> Result<()>,
}

/// Every group, in the order it runs.
pub(crate) fn all() -> [Group; 6] {
    [
        Group {
            group: "lookup",
            writes: false,
            run: metadata::lookups,
        },
        Group {
            group: "create",
            writes: true,
            run: metadata::creates,
        },
        Group {
            group: "fsync",
            writes: true,
            run: files::fsynced,
        },
        Group {
            group: "stream",
            writes: true,
            run: stream::big_file,
        },
        Group {
            group: "tree",
            writes: true,
            run: trees::source_tree,
        },
        Group {
            group: "verbs",
            writes: true,
            run: verbs::verbs,
        },
    ]
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let start = Instant::now();
    let value = work()?;
    Ok((start.elapsed(), value))
}
