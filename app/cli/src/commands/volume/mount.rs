//! `moorage volume mount`

use clap::Args;
use moorage_control::client::Client;
use moorage_control::state::{ReasonCode, VolumeState};
use moorage_control::volume::Volume;
use moorage_model::{Error, ErrorKind, Result};

use super::NameArgument;
use super::words::explanation;
use crate::agent::{connect, error_of, find, watch_until};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Mount a volume of the list, and wait until it answers
///
/// What passes, as a server that does not answer, is tried again until it works or Ctrl-C; the agent goes on trying then.
/// The mount point is made when it does not exist.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    volume: NameArgument,

    /// Return at once; `moorage volume list` shows what comes of it
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = find(&client, &arguments.volume.name).await?;
    mount(&client, &volume, !arguments.no_wait, arguments.output, context).await
}

/// Mounts a volume and says how it went.
pub(super) async fn mount(
    client: &Client,
    volume: &Volume,
    wait: bool,
    output: OutputArguments,
    context: &Context,
) -> Result<()> {
    let mut volume = client.mount_volume(&volume.id).await.map_err(error_of)?;
    if wait {
        let mut told = None;
        volume = watch_until(client, &volume.id.clone(), |volume| {
            let outcome = outcome(volume);
            let explanation = explanation(&volume.state).filter(|_| outcome.is_none());
            if explanation.is_some() && explanation != told {
                context.say(&output::plain(explanation.as_deref().unwrap_or_default()));
                told = explanation;
            }
            outcome
        })
        .await??;
    }
    if output.json {
        return output::print(output, &volume, |_| String::new());
    }
    let (name, point) = (&volume.settings.name, &volume.settings.mount_point);
    let sentence = match volume.state {
        VolumeState::Mounted | VolumeState::Degraded { .. } => format!("{name} is mounted at {point}."),
        _ => format!("{name} is being mounted at {point}."),
    };
    context.say(&output::plain(&sentence));
    Ok(())
}

/// `None` while it is tried.
fn outcome(volume: &Volume) -> Option<Result<Volume>> {
    let name = &volume.settings.name;
    match &volume.state {
        VolumeState::Mounted | VolumeState::Degraded { .. } => Some(Ok(volume.clone())),
        // It goes on by itself once the store of secrets is unlocked.
        VolumeState::Unconfigured { reason } if reason.code == ReasonCode::KeyringLocked => None,
        VolumeState::Error { problem } => Some(Err(error_of(problem.clone()))),
        VolumeState::Unconfigured { reason } => Some(Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("{name}: {}", reason.message),
        )
        .with_advice(reason.advice.clone()))),
        VolumeState::Stopped => Some(Err(Error::new(
            ErrorKind::Interrupted,
            format!("{name} was unmounted before it was mounted"),
        ))),
        VolumeState::Connecting { .. } | VolumeState::Unmounting { .. } => None,
    }
}
