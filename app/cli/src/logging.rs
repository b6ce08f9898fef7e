//! What a command says about its own work: `-v`, `-q` and `RUST_LOG`.

use clap::Args;
use tracing_subscriber::EnvFilter;

/// Flags of every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LoggingArguments {
    /// Say more about the work on standard error; twice for even more. RUST_LOG, when set, decides instead
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,

    /// Only errors on standard error: no warnings, no progress
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub(crate) quiet: bool,
}

/// Sends the log to standard error. A second call changes nothing.
pub(crate) fn start(arguments: &LoggingArguments) {
    let level = match (arguments.quiet, arguments.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,moorage=info",
        (false, 2) => "info,moorage=debug",
        (false, _) => "debug,moorage=trace",
    };
    // A reply to a process that was killed meanwhile is no error, though fuser calls it one.
    let level = format!("{level},fuser::reply=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // An embedding program may have set one already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(arguments.verbose > 1)
        .try_init();
}
