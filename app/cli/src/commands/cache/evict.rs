//! `moorage evict`

use std::path::PathBuf;

use clap::Args;
use moorage_model::Result;
use moorage_vfs::control::CacheAction;

use super::{FileArguments, shown};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Drop files and folders from the cache of their mount, to free the space
///
/// The files stay in the volume, and reading them fetches them again. What waits for its upload is kept: it exists only
/// here. What is pinned is kept as well, until `moorage cache unpin`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) files: FileArguments,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let paths = arguments.files.paths.clone();
    drop_from_cache((paths, arguments.files.threads), arguments.files.output, context).await
}

pub(super) async fn drop_from_cache(
    files: (Vec<PathBuf>, usize),
    output: OutputArguments,
    context: &Context,
) -> Result<()> {
    let answers = super::ask(files, (CacheAction::Evict, false), "Dropping", context).await?;
    let shown: Vec<shown::Dropped> = answers.iter().map(shown::Dropped::new).collect();
    output::print(output, &shown, |shown| {
        shown.iter().map(shown::Dropped::text).collect()
    })?;
    shown::verdict(&answers)
}
