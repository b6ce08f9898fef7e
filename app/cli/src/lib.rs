//! The `moorage` command as a library: arguments, presentation and one thin file per command.
//!
//! Nothing here knows the file system: a command reads its arguments, calls a library and shows what came back.
//! Data goes to standard output, everything else (progress, warnings, errors) to standard error.
#![cfg_attr(
    windows,
    expect(
        dead_code,
        reason = "what serves the commands that are not there on Windows yet"
    )
)]

mod agent;
mod arguments;
mod checklist;
mod commands;
mod concurrency;
mod context;
mod control_file;
mod data_key;
mod duration;
mod environment;
mod exit_code;
mod failure;
mod following;
mod hidden_arguments;
mod interrupt;
mod io_kind;
mod logging;
mod making;
mod mounted;
mod mounting;
mod noun;
mod output;
mod progress;
mod size;
mod staged;
mod store_check;
mod target;
mod upload_display;
mod volume;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::arguments::Cli;
use crate::context::Context;

/// The whole command line, for whatever is made from it: manual pages, completions, the reference in docs/.
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// The command line with every option open to a negative number, so that the option itself says which ones it takes;
/// else the parser advises to write the number behind `--`, where it would be taken for a path.
fn numbers_may_be_negative(command: clap::Command) -> clap::Command {
    command
        .mut_args(
            |argument| match argument.get_action().takes_values() && !argument.is_positional() {
                true => argument.allow_negative_numbers(true),
                false => argument,
            },
        )
        .mut_subcommands(numbers_may_be_negative)
}

/// Runs one command line, program name first, and says how it ended; the help lists the codes.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = hidden_arguments::take(arguments);
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // What can not be parsed may still say in which form it wants to hear of it.
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    let parsed = numbers_may_be_negative(command_line())
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error, wants_json),
    };
    let warnings = logging::start(&cli.logging);
    let context = Context::new(&cli.logging, warnings);
    let json = cli.command.json();
    match commands::execute(cli.command, &context) {
        Ok(code) => code,
        Err(error) => failure::present(&error, json),
    }
}
