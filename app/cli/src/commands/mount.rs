//! `moorage mount`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use moorage_model::Result;

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::mounting::{self, MountFlags, MountPlan, Reporter, Role};
use crate::output::OutputArguments;

#[cfg_attr(unix, doc = "Mount a volume at a folder")]
#[cfg_attr(windows, doc = "Mount a volume at a drive or folder; needs the driver WinFsp")]
///
/// In the foreground it serves until Ctrl-C or `moorage umount`; then everything written is stored before it ends, and
/// a second Ctrl-C ends it at once. With --background the command returns when the mount answers, or fails with the
/// reason; a background mount that crashes is brought back in place.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// An empty folder
    #[cfg(unix)]
    mount_point: PathBuf,

    /// A free drive such as X:, or a name that does not exist yet in a folder that does [default: the last free drive]
    #[cfg(windows)]
    mount_point: Option<PathBuf>,

    /// Serve in the background
    #[arg(short = 'd', long)]
    background: bool,

    /// Log of a background mount [default: in this user's state folder]
    #[arg(long, value_name = "FILE", requires = "background")]
    log: Option<PathBuf>,

    /// Print where a background mount is (and an error) as JSON
    #[arg(long, requires = "background")]
    json: bool,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    flags: MountFlags,
}

impl Arguments {
    /// Whether the result and an error are for a program.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    #[cfg(unix)]
    fn point(&self) -> Result<PathBuf> {
        Ok(self.mount_point.clone())
    }

    #[cfg(windows)]
    fn point(&self) -> Result<PathBuf> {
        match &self.mount_point {
            Some(point) => Ok(point.clone()),
            None => mounting::free_point(),
        }
    }
}

pub(crate) fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let role = Role::own();
    if role == Role::Supervisor {
        arguments.secrets.take()?;
        return mounting::supervise(&arguments.point()?, arguments.log.as_deref());
    }
    let reporter = match role {
        Role::Worker => Reporter::Parent(context.start_warnings().clone()),
        _ => Reporter::Terminal(context.clone()),
    };
    let outcome = mount(arguments, role, &reporter, context);
    if let Err(error) = &outcome {
        reporter.failed(error);
    }
    outcome
}

fn mount(arguments: Arguments, role: Role, reporter: &Reporter, context: &Context) -> Result<ExitCode> {
    arguments.secrets.take()?;
    let point = arguments.point()?;
    let plan = MountPlan::new(arguments.database.url, &point, arguments.flags)?;
    #[cfg(unix)]
    if arguments.background {
        plan.check_background()?;
    }
    if arguments.background && role == Role::User {
        let output = OutputArguments { json: arguments.json };
        return mounting::start_daemon(&plan, arguments.log.as_deref(), output, context);
    }
    let point = plan.point.path().display();
    let told = |volume: &str| {
        format!("Volume {volume} is mounted at {point}. Ctrl-C stores everything and unmounts it.")
    };
    mounting::serve(&plan, reporter, told)?;
    Ok(ExitCode::SUCCESS)
}
