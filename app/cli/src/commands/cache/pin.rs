//! `moorage cache pin`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use moorage_meta::admin::Progress;
use moorage_model::Result;
use moorage_vfs::control::PinAction;

use super::{PinAnswer, ask_about_pins, shown_pins};
use crate::context::Context;
use crate::noun::FILES;
use crate::output::{self, OutputArguments};
use crate::progress::Work;

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Keep files and folders on this computer, so that they can be read without the store
///
/// Their blocks are fetched into the cache of the mount and never leave it to make room for others. A folder is kept with
/// everything in it, also what comes later: at once when it comes through this mount, else within a minute or so. A changed file
/// is fetched anew; renaming keeps the pin, removing ends it. Pins are of this computer, and the volume knows nothing of them:
/// they lie beside the cache, and hold for every mount of the volume that uses it.
///
/// Pins may take 80 % of --cache-size, and must leave the disk what --free-space-ratio says: what does not fit is refused (exit
/// code 8). The mount fetches by itself, within its download limit and not while transfers are paused (`moorage agent pause`);
/// `moorage cache pins` says how far it is.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Files and folders of mounted volumes
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Wait until everything is here, or can not be fetched
    #[arg(short, long)]
    wait: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let mut answers = ask_about_pins(&arguments.paths, PinAction::Pin, true).await?;
    if arguments.wait && shown_pins::refusal(&answers).is_ok() {
        answers = wait(arguments, context, answers).await?;
    }
    output::print(
        arguments.output,
        &shown_pins::Kept::new(&answers),
        shown_pins::Kept::text,
    )?;
    shown_pins::refusal(&answers)?;
    match arguments.wait {
        true => shown_pins::verdict(&answers),
        false => Ok(()),
    }
}

async fn wait(arguments: &Arguments, context: &Context, first: Vec<PinAnswer>) -> Result<Vec<PinAnswer>> {
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Fetching",
        unit: FILES,
    };
    let job = async {
        let (mut answers, mut before) = (first, None);
        loop {
            let here = shown_pins::local_bytes(&answers);
            counts.add(0, here.saturating_sub(before.unwrap_or(here)));
            before = Some(before.unwrap_or(here).max(here));
            if shown_pins::is_done(&answers) {
                return Ok(answers);
            }
            tokio::time::sleep(LOOK).await;
            answers = ask_about_pins(&arguments.paths, PinAction::List, true).await?;
        }
    };
    context.watch(work, &counts, job).await
}
