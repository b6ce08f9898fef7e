//! The `moorage` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    moorage_cli::run(std::env::args_os())
}
