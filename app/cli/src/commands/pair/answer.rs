//! `moorage pair answer`

use clap::Args;
use moorage_control::sync::{SyncAnswer, SyncState};
use moorage_model::{Error, ErrorKind, Result};

use super::PairArgument;
use super::find::find;
use super::run::report;
use crate::agent::{connect, error_of};
use crate::output::OutputArguments;

/// Answer a pair that would remove many files, and asks first
///
/// `moorage pair list` shows what it would remove, and from where. Then it runs, and the command waits until that has ended.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    /// Remove as many files as it asks about, this once
    #[arg(long, required_unless_present = "keep", conflicts_with = "keep")]
    remove: bool,

    /// Remove none: what is gone from one side comes back there, or stays where it is when the pair does not change that side
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    let SyncState::Asking { preview } = &pair.state else {
        let folder = &pair.settings.local_folder;
        return Err(Error::new(
            ErrorKind::Busy,
            format!("the sync pair of {folder} asks nothing now"),
        )
        .with_advice("Nothing has to be done; `moorage pair list` shows how it is."));
    };
    let answer = if arguments.keep {
        SyncAnswer::Keep
    } else {
        SyncAnswer::Remove {
            files: preview.removed_local.max(preview.removed_volume),
        }
    };
    let pair = client
        .answer_sync_pair(&pair.id, answer)
        .await
        .map_err(error_of)?;
    report(&client, &pair, arguments.output).await
}
