//! `moorage trash`

mod hours;
mod list;
mod purge;
mod shown;

pub(super) use shown::{entry_bytes, restored};

use clap::{Args, Subcommand};
use moorage_model::Result;

use crate::context::Context;

/// See what was removed, and delete it for good
///
/// Removed files stay in the trash for the days that the volume says, by hours in UTC, as `.trash` of a mount shows them.
/// `moorage restore` brings them back.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Hours(hours::Arguments),
    List(list::Arguments),
    Purge(purge::Arguments),
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match &self.action {
            Action::Hours(arguments) => arguments.output.json,
            Action::List(arguments) => arguments.output.json,
            Action::Purge(arguments) => arguments.output.json,
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    match &arguments.action {
        Action::Hours(arguments) => hours::run(arguments).await,
        Action::List(arguments) => list::run(arguments).await,
        Action::Purge(arguments) => purge::run(arguments, context).await,
    }
}
