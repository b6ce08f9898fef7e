//! `moorage warmup`

use std::path::PathBuf;

use clap::Args;
use moorage_model::{Error, Result};
use moorage_vfs::control::CacheAction;

use super::{FileArguments, evict, shown, status};
use crate::context::Context;
use crate::{io_kind, output};

/// Fetch files and folders into the cache of their mount, so that reading them needs no network
///
/// Names what could not be fetched, and what was fetched and did not stay because the cache is too small (exit code 8); the
/// rest is done all the same. What is in the cache may leave it when other files are read. While transfers are paused
/// (`moorage agent pause`), it waits.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) files: FileArguments,

    /// A file with one more path in each line
    #[arg(short = 'f', long, value_name = "LIST")]
    file: Option<PathBuf>,

    /// Let the mount go on by itself, and do not wait; its log names what fails
    #[arg(short, long, conflicts_with_all = ["evict", "check"])]
    background: bool,

    /// Drop the files from the cache instead, as `moorage evict`
    #[arg(long, conflicts_with = "check")]
    evict: bool,

    /// Only look what is in the cache, as `moorage cache status`
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let mut paths = arguments.files.paths.clone();
    if let Some(list) = &arguments.file {
        paths.extend(listed(list)?);
    }
    let files = (paths, arguments.files.threads);
    if arguments.evict {
        return evict::drop_from_cache(files, arguments.files.output, context).await;
    }
    if arguments.check {
        return status::look(files, arguments.files.output, context).await;
    }
    let action = (CacheAction::Fill, arguments.background);
    let answers = super::ask(files, action, "Fetching", context).await?;
    if arguments.background {
        context.say("The mount goes on by itself; `moorage cache status` says how far it is.");
        return Ok(());
    }
    let shown: Vec<shown::Fetched> = answers.iter().map(shown::Fetched::new).collect();
    output::print(arguments.files.output, &shown, |shown| {
        shown.iter().map(shown::Fetched::text).collect()
    })?;
    shown::verdict(&answers)
}

fn listed(list: &PathBuf) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(list).map_err(|error| {
        Error::new(io_kind::of(&error), format!("{} can not be read", list.display())).with_source(error)
    })?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(PathBuf::from).collect())
}
