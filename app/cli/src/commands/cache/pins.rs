//! `moorage cache pins`

use std::path::PathBuf;

use clap::Args;
use moorage_model::Result;
use moorage_vfs::control::PinAction;

use super::{ask_about_pins, shown_pins};
use crate::output::{self, OutputArguments};

/// List what is kept on this computer, how much of it is here, and why the rest is not
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Mount points, or paths in them: all pins of their mounts are listed
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let answers = ask_about_pins(&arguments.paths, PinAction::List, false).await?;
    output::print(
        arguments.output,
        &shown_pins::Kept::new(&answers),
        shown_pins::Kept::text,
    )?;
    shown_pins::refusal(&answers)
}
