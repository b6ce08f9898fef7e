//! `moorage cache unpin`

use std::path::PathBuf;

use clap::Args;
use moorage_model::Result;
use moorage_vfs::control::PinAction;

use super::{ask_about_pins, shown_pins};
use crate::output::{self, OutputArguments};

/// Keep files and folders on this computer no longer
///
/// What is in the cache stays there until the room is needed; `moorage evict` frees it at once.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Files and folders that were pinned
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let answers = ask_about_pins(&arguments.paths, PinAction::Unpin, true).await?;
    output::print(
        arguments.output,
        &shown_pins::Released::new(&arguments.paths, &answers),
        shown_pins::Released::text,
    )?;
    shown_pins::refusal(&answers)
}
