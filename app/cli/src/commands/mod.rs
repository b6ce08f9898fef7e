//! One file per command: its arguments and what it calls.

mod agent;
mod bench;
mod cache;
mod clone;
mod compact;
mod completion;
mod config;
mod destroy;
#[cfg(unix)]
mod doctor;
mod dump;
mod format;
mod fsck;
mod gc;
mod info;
mod load;
mod log;
mod man;
mod mount;
#[cfg(windows)]
mod not_here;
#[cfg(unix)]
mod pair;
mod probe;
#[cfg(unix)]
mod quickstart;
mod quota;
mod restore;
mod rmr;
mod status;
mod summary;
mod sync;
mod trash;
mod umount;
mod version;
mod volume;

use std::process::ExitCode;

use clap::Subcommand;
use moorage_model::Result;

#[cfg(windows)]
use self::not_here::{doctor, pair, quickstart};
use crate::context::Context;
use crate::interrupt::until_signal;

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Quickstart(quickstart::Arguments),
    Format(Box<format::Arguments>),
    Mount(Box<mount::Arguments>),
    Umount(umount::Arguments),
    Agent(agent::Arguments),
    Volume(volume::Arguments),
    Pair(pair::Arguments),
    Probe(Box<probe::Arguments>),
    Doctor(doctor::Arguments),
    Log(log::Arguments),
    Config(Box<config::Arguments>),
    Status(status::Arguments),
    Fsck(fsck::Arguments),
    Gc(gc::Arguments),
    Quota(quota::Arguments),
    Compact(compact::Arguments),
    Trash(trash::Arguments),
    Restore(restore::Arguments),
    Info(info::Arguments),
    Summary(summary::Arguments),
    Rmr(rmr::Arguments),
    Clone(clone::Arguments),
    Warmup(cache::warmup::Arguments),
    Evict(cache::evict::Arguments),
    Cache(cache::Arguments),
    Sync(Box<sync::Arguments>),
    Dump(dump::Arguments),
    Load(load::Arguments),
    Destroy(destroy::Arguments),
    Bench(Box<bench::Arguments>),
    Version(version::Arguments),
    Completion(completion::Arguments),
    Man(man::Arguments),
}

impl Command {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::Format(arguments) => arguments.output.json,
            Command::Probe(arguments) => arguments.output.json,
            Command::Doctor(arguments) => arguments.json(),
            Command::Log(arguments) => arguments.json(),
            Command::Config(arguments) => arguments.output.json,
            Command::Status(arguments) => arguments.output.json,
            Command::Fsck(arguments) => arguments.output.json,
            Command::Gc(arguments) => arguments.output.json,
            Command::Quota(arguments) => arguments.json(),
            Command::Bench(arguments) => arguments.output.json,
            Command::Dump(arguments) => arguments.output.json,
            Command::Load(arguments) => arguments.output.json,
            Command::Compact(arguments) => arguments.output.json,
            Command::Trash(arguments) => arguments.json(),
            Command::Restore(arguments) => arguments.output.json,
            Command::Info(arguments) => arguments.output.json,
            Command::Summary(arguments) => arguments.output.json,
            Command::Rmr(arguments) => arguments.output.json,
            Command::Clone(arguments) => arguments.output.json,
            Command::Warmup(arguments) => arguments.files.output.json,
            Command::Evict(arguments) => arguments.files.output.json,
            Command::Cache(arguments) => arguments.json(),
            Command::Sync(arguments) => arguments.output.json,
            Command::Version(arguments) => arguments.output.json,
            Command::Mount(arguments) => arguments.json(),
            Command::Agent(arguments) => arguments.json(),
            Command::Volume(arguments) => arguments.json(),
            Command::Pair(arguments) => arguments.json(),
            Command::Quickstart(_)
            | Command::Umount(_)
            | Command::Destroy(_)
            | Command::Completion(_)
            | Command::Man(_) => false,
        }
    }
}

/// Runs the command; an exit code other than 0 without an error is one that the command documents.
pub(crate) fn execute(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Quickstart(arguments) => return quickstart::run(arguments, context),
        Command::Mount(arguments) => return mount::run(*arguments, context),
        Command::Umount(arguments) => return umount::run(&arguments, context),
        Command::Agent(arguments) => return agent::run(&arguments, context),
        Command::Pair(arguments) => return pair::run(&arguments, context),
        Command::Volume(arguments) => until_signal(volume::run(&arguments, context)),
        #[cfg(unix)]
        Command::Doctor(arguments) => until_signal(doctor::run(&arguments)),
        Command::Log(arguments) => until_signal(log::run(&arguments)),
        #[cfg(windows)]
        Command::Doctor(arguments) => return doctor::run(&arguments, context),
        Command::Format(arguments) => until_signal(format::run(&arguments, context)),
        Command::Probe(arguments) => until_signal(probe::run(&arguments)),
        Command::Config(arguments) => until_signal(config::run(&arguments, context)),
        Command::Status(arguments) => until_signal(status::run(&arguments, context)),
        Command::Fsck(arguments) => until_signal(fsck::run(&arguments, context)),
        Command::Gc(arguments) => until_signal(gc::run(&arguments, context)),
        Command::Quota(arguments) => until_signal(quota::run(&arguments, context)),
        Command::Destroy(arguments) => until_signal(destroy::run(&arguments, context)),
        Command::Dump(arguments) => until_signal(dump::run(&arguments, context)),
        Command::Load(arguments) => until_signal(load::run(&arguments, context)),
        Command::Compact(arguments) => until_signal(compact::run(&arguments, context)),
        Command::Trash(arguments) => until_signal(trash::run(&arguments, context)),
        Command::Restore(arguments) => until_signal(restore::run(&arguments, context)),
        Command::Info(arguments) => until_signal(info::run(&arguments, context)),
        Command::Summary(arguments) => until_signal(summary::run(&arguments, context)),
        Command::Rmr(arguments) => until_signal(rmr::run(&arguments, context)),
        Command::Clone(arguments) => until_signal(clone::run(&arguments, context)),
        Command::Warmup(arguments) => until_signal(cache::warmup::run(&arguments, context)),
        Command::Evict(arguments) => until_signal(cache::evict::run(&arguments, context)),
        Command::Cache(arguments) => until_signal(cache::run(&arguments, context)),
        Command::Sync(arguments) => until_signal(sync::run(&arguments, context)),
        Command::Bench(arguments) => until_signal(bench::run(arguments, context)),
        Command::Version(arguments) => version::run(&arguments),
        Command::Completion(arguments) => completion::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, context),
    }
    .map(|()| ExitCode::SUCCESS)
}
