//! Developer tasks: `cargo xtask test` runs every test, `cargo xtask bench` the side-by-side benchmark,
//! `cargo xtask fuzz` the fuzz targets, `cargo xtask dist` makes what people install.

mod bench;
mod dist;
mod effort;
mod fuzz;
mod licences;
mod run;
mod stages;
mod table;
mod tools;
mod volume;

use std::path::PathBuf;
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
        against: Option<PathBuf>,
        /// Further arguments of the benchmark, see `cargo xtask bench -- --help`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Fuzzes the decoders: every target, or one; or gives a target one input again.
    Fuzz {
        /// A file of tests/fuzz/fuzz_targets, without its extension.
        target: Option<String>,
        /// Time of each target in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Runs this one input, for example one that failed.
        #[arg(long, requires = "target", conflicts_with = "seconds")]
        input: Option<PathBuf>,
    },
    /// Prints as JSON whose work is in what people install, and on which terms.
    Licences {
        /// Of the command for Windows instead.
        #[arg(long)]
        windows: bool,
    },
    /// Makes what people install of a release build, with a list of its parts (CycloneDX) and a manifest of all: deb, rpm
    /// and tar.gz, or for Windows setup.exe, msi and the files of winget.
    Dist {
        /// The system that it is for.
        #[arg(long, value_enum, default_value_t = dist::System::Linux)]
        target: dist::System,
        /// Takes this program for Windows instead of building one.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["desktop", "desktop_program"])]
        windows_program: Option<PathBuf>,
        /// Where they go; `dist` in cargo's build folder without it.
        #[arg(long)]
        output: Option<PathBuf>,
        /// Builds the window for release as well, and makes its packages.
        #[arg(long)]
        desktop: bool,
        /// Makes packages of a window that is built.
        #[arg(long, value_name = "FILE", conflicts_with = "desktop")]
        desktop_program: Option<PathBuf>,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Test { only } => stages::run_all(only.as_deref()),
        Task::Bench { against, rest } => bench::run(against.as_deref(), &rest),
        Task::Fuzz {
            target,
            seconds,
            input,
        } => fuzz::run(target, seconds, input.as_deref()),
        Task::Licences { windows } => licences::run(windows),
        Task::Dist {
            target,
            output,
            desktop,
            desktop_program,
            windows_program,
        } => match target {
            dist::System::Linux => dist::run(output, desktop, desktop_program),
            dist::System::Windows => dist::run_for_windows(output, windows_program),
        },
    }
}
