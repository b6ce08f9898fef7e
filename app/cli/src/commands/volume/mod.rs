//! `moorage volume`

mod add;
mod demo;
mod export;
mod join;
mod list;
mod mount;
mod password;
mod remove;
mod unmount;
mod words;

use clap::{Args, Subcommand};
use moorage_model::Result;

use crate::context::Context;
use crate::output::OutputArguments;

/// Volumes that the agent of this user looks after: list, add, remove, mount and unmount them
///
/// Needs a running agent: `moorage agent run`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::Arguments),
    Add(Box<add::Arguments>),
    Demo(demo::Arguments),
    Join(Box<join::Arguments>),
    Export(export::Arguments),
    Remove(remove::Arguments),
    Mount(mount::Arguments),
    Unmount(unmount::Arguments),
    Password(password::Arguments),
}

/// A volume of the list.
#[derive(Args, Clone, Debug)]
struct NameArgument {
    /// Name of the volume in the list, or its id
    #[arg(value_name = "NAME")]
    name: String,
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        let output: OutputArguments = match &self.action {
            Action::List(arguments) => arguments.output,
            Action::Add(arguments) => arguments.output,
            Action::Demo(arguments) => arguments.output,
            Action::Join(arguments) => arguments.output,
            Action::Export(arguments) => arguments.output,
            Action::Remove(arguments) => arguments.output,
            Action::Mount(arguments) => arguments.output,
            Action::Unmount(arguments) => arguments.output,
            Action::Password(arguments) => arguments.output,
        };
        output.json
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments).await,
        Action::Add(arguments) => add::run(arguments, context).await,
        Action::Demo(arguments) => demo::run(arguments, context).await,
        Action::Join(arguments) => join::run(arguments, context).await,
        Action::Export(arguments) => export::run(arguments, context).await,
        Action::Remove(arguments) => remove::run(arguments, context).await,
        Action::Mount(arguments) => mount::run(arguments, context).await,
        Action::Unmount(arguments) => unmount::run(arguments, context).await,
        Action::Password(arguments) => password::run(arguments, context).await,
    }
}
