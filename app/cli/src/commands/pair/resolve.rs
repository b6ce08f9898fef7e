//! `moorage pair resolve`

use clap::{Args, ValueEnum};
use moorage_control::sync::SyncKeep;
use moorage_model::{Error, ErrorKind, Result};

use super::PairArgument;
use super::find::find;
use super::run::report;
use crate::agent::{connect, error_of};
use crate::output::OutputArguments;

/// Settle a conflict: say which version stays
///
/// The other one is removed on the side where it got its name, and by the run that follows on the other. `moorage pair list`
/// names the conflicts. Then the pair runs, and the command waits until that has ended.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    /// What the version that got another name is called now, from the roots of both sides
    #[arg(value_name = "COPY")]
    copy: String,

    /// Which version stays
    #[arg(long, value_enum)]
    keep: Keep,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Keep {
    /// The one that kept its name
    Original,
    /// The one that got another name; it gets the old one back. Only in a two-way pair
    Copy,
    /// Both, under the names that they have
    Both,
}

impl From<Keep> for SyncKeep {
    fn from(keep: Keep) -> SyncKeep {
        match keep {
            Keep::Original => SyncKeep::Original,
            Keep::Copy => SyncKeep::Copy,
            Keep::Both => SyncKeep::Both,
        }
    }
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    let conflict = pair
        .conflicts
        .iter()
        .find(|conflict| conflict.copy == arguments.copy);
    let Some(conflict) = conflict else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("{} is no conflict of this sync pair", arguments.copy),
        )
        .with_advice("`moorage pair list` names the conflicts."));
    };
    let pair = client
        .resolve_sync_conflict(&pair.id, conflict.clone(), arguments.keep.into())
        .await
        .map_err(error_of)?;
    report(&client, &pair, arguments.output).await
}
