//! `moorage bench`

mod files;
mod measure;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use moorage_model::{Error, ErrorKind, Result};

use self::files::{Bench, Job, Step};
use self::measure::Measured;
use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::{concurrency, io_kind, size};

/// Most bytes of one read or write: each thread has a buffer of that size.
const MOST_BLOCK: u64 = 1 << 30;

/// Measure a folder, of a mounted volume or of any other disk: big files and small ones
///
/// Every thread writes, reads back and stats files of its own. Files are closed, not synced; before reading they are
/// put out of the page cache. Everything is removed afterwards.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder to measure
    path: PathBuf,

    /// Bytes of one read or write; plain numbers count MiB
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = block)]
    block_size: u64,

    /// Size of the big file of each thread; plain numbers count MiB, 0 leaves big files out
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size::from_mib)]
    big_file_size: u64,

    /// Size of a small file; plain numbers count KiB
    #[arg(long, value_name = "SIZE", default_value = "128K", value_parser = size::from_kib)]
    small_file_size: u64,

    /// Small files of each thread, 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 100)]
    small_file_count: u32,

    /// Threads
    #[arg(short = 'p', long, default_value_t = 1, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

fn block(text: &str) -> Result<u64, String> {
    match size::from_mib(text)? {
        0 => Err("a block of 1B or more is needed".to_owned()),
        bytes if bytes > MOST_BLOCK => Err(format!(
            "a block of at most {} is possible",
            size::show(MOST_BLOCK)
        )),
        bytes => Ok(bytes),
    }
}

pub(crate) async fn run(arguments: Box<Arguments>, context: &Context) -> Result<()> {
    let output = arguments.output;
    let (stop, context) = (StopOnDrop::default(), context.clone());
    let stopped = Arc::clone(&stop.0);
    let measuring = tokio::task::spawn_blocking(move || measure_all(&arguments, &context, &stopped));
    let all = measuring.await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "the measurement ended early").with_source(error))
    })?;
    output::print(output, &all, |all| {
        let rows: Vec<Vec<String>> = all.iter().map(Measured::row).collect();
        output::table(&["item", "value", "cost"], &rows)
    })
}

/// Tells the threads to end when the command is interrupted, so that they clean up.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn measure_all(arguments: &Arguments, context: &Context, stopped: &AtomicBool) -> Result<Vec<Measured>> {
    let folder = Scratch::make(&arguments.path)?;
    let mut all = Vec::new();
    for step in Step::ALL {
        let job = arguments.job(step);
        if job.files > 0 {
            context.say(&format!("{} …", step.title()));
            let bench = Bench {
                folder: &folder.path,
                stopped,
                step,
                job,
            };
            all.push(measure::run(&bench, arguments.threads)?);
        }
    }
    Ok(all)
}

impl Arguments {
    fn job(&self, step: Step) -> Job {
        let (files, bytes) = if step.is_big() {
            (u32::from(self.big_file_size > 0), self.big_file_size)
        } else {
            (self.small_file_count, self.small_file_size)
        };
        Job {
            files,
            bytes,
            block: usize::try_from(self.block_size).unwrap_or(usize::MAX),
        }
    }
}

/// The folder of one run; removed when dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn make(parent: &Path) -> Result<Scratch> {
        let path = parent.join(format!("moorage-bench-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| {
            Error::new(
                io_kind::of(&error),
                format!("the folder {} can not be made", path.display()),
            )
            .with_source(error)
            .with_advice("Give a folder that exists and that you may write to.")
        })?;
        Ok(Scratch { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("{} could not be removed: {error}", self.path.display());
        }
    }
}
