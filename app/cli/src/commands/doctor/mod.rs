//! `moorage doctor`

mod computer;
mod trial;

use clap::Args;
use moorage_control::check::CheckStep;
use moorage_host::Folders;
use moorage_model::{Error, ErrorKind, Result};

use crate::checklist::{self, Steps};
use crate::mounting::host_error;
use crate::noun::STEPS;
use crate::output::{self, OutputArguments};

/// What is tried, in this order.
const STEPS_TO_HEALTH: [CheckStep; 8] = [
    CheckStep::Driver,
    CheckStep::Folders,
    CheckStep::DiskSpace,
    CheckStep::Agent,
    CheckStep::SecretStore,
    CheckStep::TrialVolume,
    CheckStep::TrialMount,
    CheckStep::TrialCheck,
];

/// Try what Moorage needs of this computer, and say what is wrong and what to do
///
/// The driver for mounting, the folders of this user and the space on their disks, the agent, the store of passwords; then a
/// small volume is made for trial in the cache folder, mounted, written, read, unmounted, checked and removed. Volumes of
/// yours are not touched: `moorage probe` tries the way to one.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    output: OutputArguments,
}

impl Arguments {
    /// Whether the result is for a program.
    pub(crate) fn json(&self) -> bool {
        self.output.json
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let mut steps = Steps::default();
    computer::examine(&mut steps, &folders).await;
    trial::mount_a_volume(&mut steps, &folders).await;
    let list = steps.finish(&STEPS_TO_HEALTH);
    output::print(arguments.output, &list, checklist::describe)?;
    match checklist::failed(&list) {
        0 => Ok(()),
        failed => Err(Error::new(
            ErrorKind::Corrupt,
            format!("{} of {} failed", STEPS.count(failed), list.lines.len()),
        )
        .with_advice("What is wrong with each, and what to do, stands below it.")),
    }
}
