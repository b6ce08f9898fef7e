//! `moorage pair run`

use clap::Args;
use moorage_control::client::Client;
use moorage_control::sync::{SyncPair, SyncState};
use moorage_model::{Error, ErrorKind, Result};

use super::PairArgument;
use super::find::{find, until_it_rests};
use super::list::shown;
use crate::agent::{connect, error_of};
use crate::noun::FILES;
use crate::output::{self, OutputArguments};

/// Run a pair now, and wait until that has ended
///
/// Ctrl-C ends the waiting, not the run. The exit code is 1 when something failed.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    let pair = client.run_sync_pair(&pair.id).await.map_err(error_of)?;
    report(&client, &pair, arguments.output).await
}

/// Waits until a run has ended, and says what came of it.
///
/// # Errors
/// When it failed, or something of it.
pub(super) async fn report(client: &Client, pair: &SyncPair, output: OutputArguments) -> Result<()> {
    let pair = until_it_rests(client, &pair.id).await?;
    let volumes = client.volumes().await.map_err(error_of)?;
    output::print(output, &pair, |pair| shown(std::slice::from_ref(pair), &volumes))?;
    if let SyncState::Error { problem } = pair.state {
        return Err(error_of(problem));
    }
    match pair.last_run {
        Some(run) if run.failed > 0 => {
            let failed = FILES.count(run.failed);
            Err(
                Error::new(ErrorKind::Io, format!("{failed} could not be dealt with"))
                    .with_advice("Mend what was said above; it is tried again by itself."),
            )
        }
        _ => Ok(()),
    }
}
