//! `moorage warmup`, `moorage evict` and `moorage cache`: what the mounts of this computer have at hand.

pub(super) mod evict;
mod shown;
pub(super) mod status;
pub(super) mod warmup;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use moorage_meta::admin::Progress;
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::control::{CacheAction, CacheReport, WarmUpRequest};

use crate::concurrency;
use crate::context::Context;
use crate::control_file::Asked;
use crate::noun::FILES;
use crate::output::OutputArguments;
use crate::progress::Work;

/// Look into the caches of mounted volumes
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Status(status::Arguments),
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        let Action::Status(arguments) = &self.action;
        arguments.files.output.json
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let Action::Status(arguments) = &arguments.action;
    status::run(arguments, context).await
}

/// Which files, and how they are worked on.
#[derive(Args, Debug)]
pub(crate) struct FileArguments {
    /// Files and folders of mounted volumes; folders with everything in them
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Files, and blocks of files, at work at the same time
    #[arg(short = 'p', long, default_value_t = 50, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What a mount answers about one path.
#[derive(Debug)]
struct Answer {
    path: PathBuf,
    point: PathBuf,
    report: CacheReport,
}

/// Asks for one path after the other, of which there is at least one.
async fn ask(
    (paths, threads): (Vec<PathBuf>, usize),
    (action, background): (CacheAction, bool),
    title: &'static str,
    context: &Context,
) -> Result<Vec<Answer>> {
    if paths.is_empty() {
        return Err(
            Error::new(ErrorKind::InvalidArgument, "there is no path to work on")
                .with_advice("Name files or folders of a mounted volume."),
        );
    }
    // Nothing is done when one of them can not be found.
    let asked: Vec<Asked> = paths
        .iter()
        .map(|path| Asked::find(path))
        .collect::<Result<_>>()?;
    let counts: Arc<Progress> = Arc::default();
    let work = Work { title, unit: FILES };
    let job = async {
        let mut answers = Vec::new();
        for (path, asked) in paths.into_iter().zip(asked) {
            let request = WarmUpRequest {
                paths: vec![asked.inside.clone()],
                threads,
                background,
                action,
                detailed: true,
            };
            let report = asked.warm_up(request, Arc::clone(&counts)).await;
            let report = report.map_err(|error| error.context(path.display()))?;
            answers.push(Answer {
                path,
                point: asked.point,
                report,
            });
        }
        Ok(answers)
    };
    context.watch(work, &counts, job).await
}
