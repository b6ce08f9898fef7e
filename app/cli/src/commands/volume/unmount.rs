//! `moorage volume unmount`

use clap::Args;
use moorage_control::settings::Pause;
use moorage_control::state::{UnmountWait, VolumeState};
use moorage_control::volume::Volume;
use moorage_model::{Error, ErrorKind, Result};

use super::NameArgument;
use super::words::explanation;
use crate::agent::{connect, error_of, find, watch_until};
use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::upload_display::PAUSED;

/// Unmount a volume of the list, and wait until everything written to it is stored
///
/// A volume that is in use stays mounted, and those who use it are named.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    volume: NameArgument,

    /// Detach the mount now even when it is in use; it ends when its last user is gone
    #[arg(short, long)]
    lazy: bool,

    /// Return when the unmount is under way
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = find(&client, &arguments.volume.name).await?;
    let unmounting = client.unmount_volume(&volume.id, arguments.lazy).await;
    let mut volume = unmounting.map_err(error_of)?;
    if !arguments.no_wait {
        let pause = client.status().await.map_err(error_of)?.pause;
        let mut told = false;
        volume = watch_until(&client, &volume.id.clone(), |volume| {
            let outcome = outcome(volume);
            if outcome.is_none()
                && !told
                && let Some(explanation) = explanation(&volume.state)
            {
                context.say(&output::plain(&explanation));
                if pause != Pause::Running && waits_for_uploads(&volume.state) {
                    context.say(PAUSED);
                }
                told = true;
            }
            outcome
        })
        .await??;
    }
    if arguments.output.json {
        return output::print(arguments.output, &volume, |_| String::new());
    }
    let name = &volume.settings.name;
    let sentence = match volume.state {
        VolumeState::Stopped => format!("{name} is unmounted; everything is stored."),
        _ => format!("{name} is being unmounted."),
    };
    context.say(&output::plain(&sentence));
    Ok(())
}

fn waits_for_uploads(state: &VolumeState) -> bool {
    let VolumeState::Unmounting { waiting_for } = state else {
        return false;
    };
    matches!(waiting_for, Some(UnmountWait::Uploads { .. }))
}

/// `None` while it goes on.
fn outcome(volume: &Volume) -> Option<Result<Volume>> {
    match &volume.state {
        VolumeState::Stopped => Some(Ok(volume.clone())),
        VolumeState::Error { problem } => Some(Err(error_of(problem.clone()))),
        VolumeState::Mounted | VolumeState::Degraded { .. } => Some(Err(Error::new(
            ErrorKind::Busy,
            format!("{} is still mounted", volume.settings.name),
        )
        .with_advice("`moorage agent status` says why; --lazy detaches it from those who use it."))),
        _ => None,
    }
}
