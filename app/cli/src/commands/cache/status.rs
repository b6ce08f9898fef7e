//! `moorage cache status`

use std::path::PathBuf;

use clap::Args;
use moorage_model::Result;
use moorage_vfs::control::CacheAction;

use super::{FileArguments, shown};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Show how much of files and folders is on this computer, and how full the cache of their mount is
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) files: FileArguments,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let paths = arguments.files.paths.clone();
    look((paths, arguments.files.threads), arguments.files.output, context).await
}

pub(super) async fn look(
    files: (Vec<PathBuf>, usize),
    output: OutputArguments,
    context: &Context,
) -> Result<()> {
    let answers = super::ask(files, (CacheAction::Check, false), "Looking", context).await?;
    output::print(output, &shown::Local::new(&answers), shown::Local::text)?;
    shown::verdict(&answers)
}
