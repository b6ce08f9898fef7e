//! `moorage man`

use std::path::{Path, PathBuf};

use clap::Args;
use moorage_model::{Error, ErrorKind, Result};

use crate::context::Context;
use crate::output;

/// Write the manual pages, one file per command, into a folder
///
/// For the current user: moorage man ~/.local/share/man/man1
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder; it is made when it does not exist
    folder: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let folder = arguments.folder.as_path();
    let made = !folder.exists();
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::command_line(), folder))
        .map_err(|error| can_not_write(folder, error))?;
    let shown = folder.display().to_string();
    let where_they_are = if made { ", which was made" } else { "" };
    context.say(&format!(
        "The manual pages are in {}{where_they_are}.",
        output::plain(&shown)
    ));
    Ok(())
}

fn can_not_write(folder: &Path, error: std::io::Error) -> Error {
    let what = format!("the manual pages can not be written into {}", folder.display());
    Error::new(ErrorKind::Io, what)
        .with_source(error)
        .with_advice("Give a folder that you may write to.")
}
