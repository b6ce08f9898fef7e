//! The command line: global flags and the argument groups that commands share.

mod meta_url;
mod secrets;
mod store;

use clap::Parser;

pub(crate) use meta_url::{MetaUrl, MetaUrlArgument};
pub(crate) use secrets::SecretsArguments;
pub(crate) use store::{StoreArguments, whole_bucket};

use crate::commands::Command;
use crate::exit_code;
use crate::logging::LoggingArguments;

/// Any object store as a disk: makes, mounts and looks after volumes in the JuiceFS format.
///
/// A volume is a database of names and attributes (META-URL) and a store of objects that hold the bytes of files.
/// `moorage quickstart` makes one on this computer; `moorage format` makes one anywhere.
#[derive(Debug, Parser)]
#[command(name = "moorage", version, after_help = exit_code::TABLE, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: LoggingArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}
