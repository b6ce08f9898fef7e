//! One file per command: its arguments and what it calls.

mod completion;
mod man;
mod version;

use std::process::ExitCode;

use clap::Subcommand;
use moorage_model::Result;

use crate::context::Context;

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Version(version::Arguments),
    Completion(completion::Arguments),
    Man(man::Arguments),
}

impl Command {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::Version(arguments) => arguments.output.json,
            Command::Completion(_) | Command::Man(_) => false,
        }
    }
}

/// Runs the command; an exit code other than 0 without an error is one that the command documents.
pub(crate) fn execute(command: Command, _context: &Context) -> Result<ExitCode> {
    match command {
        Command::Version(arguments) => version::run(&arguments),
        Command::Completion(arguments) => completion::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    }
    .map(|()| ExitCode::SUCCESS)
}
