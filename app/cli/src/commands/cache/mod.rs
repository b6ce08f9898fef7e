//! `moorage warmup`, `moorage evict` and `moorage cache`: what the mounts of this computer have at hand.

pub(super) mod evict;
mod list;
mod pin;
mod pins;
mod shown;
mod shown_pins;
pub(super) mod status;
mod unpin;
pub(super) mod warmup;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use moorage_meta::admin::Progress;
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::control::{CacheAction, CacheReport, PinAction, PinReport, PinRequest, WarmUpRequest};

use crate::concurrency;
use crate::context::Context;
use crate::control_file::Asked;
use crate::noun::FILES;
use crate::output::OutputArguments;
use crate::progress::Work;

/// Look into the caches of mounted volumes, and keep files in them
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Status(status::Arguments),
    List(list::Arguments),
    Pin(pin::Arguments),
    Unpin(unpin::Arguments),
    Pins(pins::Arguments),
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match &self.action {
            Action::Status(arguments) => arguments.files.output.json,
            Action::List(arguments) => arguments.output.json,
            Action::Pin(arguments) => arguments.output.json,
            Action::Unpin(arguments) => arguments.output.json,
            Action::Pins(arguments) => arguments.output.json,
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    match &arguments.action {
        Action::Status(arguments) => status::run(arguments, context).await,
        Action::List(arguments) => list::run(arguments).await,
        Action::Pin(arguments) => pin::run(arguments, context).await,
        Action::Unpin(arguments) => unpin::run(arguments).await,
        Action::Pins(arguments) => pins::run(arguments).await,
    }
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

/// What a mount answers about the pins of its paths.
#[derive(Debug)]
struct PinAnswer {
    point: PathBuf,
    report: PinReport,
}

/// Asks each mount about those of the paths that lie in it; without `named` about all of its pins.
async fn ask_about_pins(paths: &[PathBuf], action: PinAction, named: bool) -> Result<Vec<PinAnswer>> {
    // Nothing is done when one of them can not be found.
    let mut requests: Vec<(Asked, PinRequest)> = Vec::new();
    for path in paths {
        let asked = Asked::find(path)?;
        let inside = asked.inside.clone();
        let place = match requests.iter().position(|(known, _)| known.point == asked.point) {
            Some(place) => place,
            None => {
                let paths = Vec::new();
                requests.push((asked, PinRequest { action, paths }));
                requests.len() - 1
            }
        };
        if let Some((_, request)) = requests.get_mut(place).filter(|_| named) {
            request.paths.push(inside);
        }
    }
    let mut answers = Vec::new();
    for (asked, request) in requests {
        let report = asked.pins(&request).await;
        let report = report.map_err(|error| error.context(asked.point.display()))?;
        answers.push(PinAnswer {
            point: asked.point,
            report,
        });
    }
    Ok(answers)
}
