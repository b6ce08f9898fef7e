//! Runs a step on all threads at once and takes the time.

use std::thread;
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

use super::files::{Bench, Job, Step};

/// One line of the result.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    item: &'static str,
    /// MiB or files, per second, of all threads together.
    value: f64,
    unit: &'static str,
    /// Seconds for one file, or milliseconds where `cost_unit` says so.
    cost: f64,
    cost_unit: &'static str,
    seconds: f64,
}

impl Measured {
    pub(super) fn row(&self) -> Vec<String> {
        vec![
            self.item.to_owned(),
            format!("{:.2} {}", self.value, self.unit),
            format!("{:.2} {}", self.cost, self.cost_unit),
        ]
    }

    fn new(step: Step, job: Job, threads: usize, took: Duration) -> Measured {
        let seconds = took.as_secs_f64().max(f64::EPSILON);
        let files = f64::from(job.files);
        let all_files = files * threads as f64;
        if step.is_big() {
            Measured {
                item: step.title(),
                value: all_files * job.bytes as f64 / f64::from(1u32 << 20) / seconds,
                unit: "MiB/s",
                cost: seconds / files,
                cost_unit: "s/file",
                seconds,
            }
        } else {
            Measured {
                item: step.title(),
                value: all_files / seconds,
                unit: "files/s",
                cost: seconds * 1000.0 / files,
                cost_unit: "ms/file",
                seconds,
            }
        }
    }
}

/// Measures one step.
///
/// # Errors
/// `Io` for the first failure of any thread.
pub(super) fn run(bench: &Bench<'_>, threads: usize) -> Result<Measured> {
    on_all(threads, |thread| bench.prepare(thread)).map_err(|error| failed(bench, error))?;
    let start = Instant::now();
    on_all(threads, |thread| bench.work(thread)).map_err(|error| failed(bench, error))?;
    Ok(Measured::new(bench.step, bench.job, threads, start.elapsed()))
}

fn on_all(threads: usize, work: impl Fn(usize) -> std::io::Result<()> + Sync) -> std::io::Result<()> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(std::io::Error::other("a thread ended early")))
        })
    })
}

fn failed(bench: &Bench<'_>, error: std::io::Error) -> Error {
    let what = format!("{} in {} failed", bench.step.title(), bench.folder.display());
    Error::new(ErrorKind::Io, what).with_source(error)
}
