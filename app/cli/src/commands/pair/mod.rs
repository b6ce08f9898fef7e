//! `moorage pair`

mod add;
mod answer;
mod change;
mod find;
mod keep;
mod list;
mod mode;
mod pause;
mod preview;
mod remove;
mod resolve;
mod rules;
mod run;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use moorage_model::Result;

use crate::context::Context;
use crate::interrupt::until_signal;
use crate::output::OutputArguments;

/// Folders of this computer that are kept in sync with folders of volumes
///
/// Each pair is run soon after something changed in its local folder, and every five minutes in any case, for as long as its
/// volume is mounted and nothing is paused. Needs a running agent: `moorage agent run`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::Arguments),
    Add(add::Arguments),
    Preview(preview::Arguments),
    Run(run::Arguments),
    Answer(answer::Arguments),
    Resolve(resolve::Arguments),
    Change(change::Arguments),
    Pause(pause::Arguments),
    Resume(pause::ResumeArguments),
    Remove(remove::Arguments),
    #[command(hide = true)]
    Keep(keep::Arguments),
}

/// A pair of the list.
#[derive(Args, Clone, Debug)]
struct PairArgument {
    /// The local folder of the pair, or its id
    #[arg(value_name = "FOLDER")]
    pair: PathBuf,
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        let output: OutputArguments = match &self.action {
            Action::List(arguments) => arguments.output,
            Action::Add(arguments) => arguments.output,
            Action::Preview(arguments) => arguments.output,
            Action::Run(arguments) => arguments.output,
            Action::Answer(arguments) => arguments.output,
            Action::Resolve(arguments) => arguments.output,
            Action::Change(arguments) => arguments.output,
            Action::Pause(arguments) => arguments.output,
            Action::Resume(arguments) => arguments.output,
            Action::Remove(arguments) => arguments.output,
            Action::Keep(arguments) => arguments.output,
        };
        output.json
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    match &arguments.action {
        Action::List(arguments) => until_signal(list::run(arguments)),
        Action::Add(arguments) => until_signal(add::run(arguments, context)),
        Action::Preview(arguments) => until_signal(preview::run(arguments)),
        Action::Run(arguments) => until_signal(run::run(arguments)),
        Action::Answer(arguments) => until_signal(answer::run(arguments)),
        Action::Resolve(arguments) => until_signal(resolve::run(arguments)),
        Action::Change(arguments) => until_signal(change::run(arguments, context)),
        Action::Pause(arguments) => until_signal(pause::pause(arguments, context)),
        Action::Resume(arguments) => until_signal(pause::resume(arguments, context)),
        Action::Remove(arguments) => until_signal(remove::run(arguments, context)),
        Action::Keep(arguments) => until_signal(keep::run(arguments)),
    }
    .map(|()| ExitCode::SUCCESS)
}
