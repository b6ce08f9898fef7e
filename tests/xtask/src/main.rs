//! Developer tasks: `cargo xtask test` runs every test, `cargo xtask bench` the side-by-side benchmark.

mod bench;
mod run;
mod stages;
mod table;
mod tools;
mod volume;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Installs what the tests need, runs every test and closes with a table of the stages.
    Test {
        /// Only stages whose name contains this text.
        #[arg(long)]
        only: Option<String>,
    },
    /// Builds for release and runs the side-by-side benchmark (root, Linux).
    Bench {
        /// Another client that takes the same command line.
        #[arg(long)]
        against: Option<std::path::PathBuf>,
        /// Further arguments of the benchmark, see `cargo xtask bench -- --help`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Test { only } => stages::run_all(only.as_deref()),
        Task::Bench { against, rest } => bench::run(against.as_deref(), &rest),
    }
}
