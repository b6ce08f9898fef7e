//! `moorage mount`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use moorage_model::Result;

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::mounting::{self, MountFlags, MountPlan, Reporter};

/// Mount a volume at a drive or folder
///
/// Serves in the foreground until Ctrl-C; then everything written is stored before it ends, and a second Ctrl-C ends it
/// at once. Needs the driver WinFsp.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// A free drive such as X:, or a name that does not exist yet in a folder that does
    mount_point: PathBuf,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    flags: MountFlags,
}

impl Arguments {
    /// Whether the result and an error are for a program: never, in the foreground.
    pub(crate) fn json(&self) -> bool {
        false
    }
}

pub(crate) fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    arguments.secrets.take()?;
    let plan = MountPlan::new(arguments.database.url, &arguments.mount_point, arguments.flags)?;
    let point = plan.point.path().display();
    let told = |volume: &str| {
        format!("Volume {volume} is mounted at {point}. Ctrl-C stores everything and unmounts it.")
    };
    mounting::serve(&plan, &Reporter::Terminal(context.clone()), told)?;
    Ok(ExitCode::SUCCESS)
}
