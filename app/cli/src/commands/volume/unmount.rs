//! `moorage volume unmount`

use clap::Args;
use moorage_control::problem::{Problem, ProblemCode};
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
        if is_mounted(&volume) {
            let notices = client.status().await.map_err(error_of)?.notices;
            return Err(still_mounted(&volume, notices));
        }
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
        _ if is_mounted(volume) => Some(Ok(volume.clone())),
        _ => None,
    }
}

fn is_mounted(volume: &Volume) -> bool {
    matches!(volume.state, VolumeState::Mounted | VolumeState::Degraded { .. })
}

/// Why a volume is mounted again. A refusal that took longer than the agent's answer to this command is among its notices,
/// the newest last.
fn still_mounted(volume: &Volume, notices: Vec<Problem>) -> Error {
    let point = &volume.settings.mount_point;
    let is_its = |notice: &Problem| {
        // The path, and what the system said of it.
        let named = notice
            .message
            .split_once(point.as_str())
            .map(|(_, rest)| rest.is_empty() || rest.starts_with(':'));
        notice.code == ProblemCode::MountPointBusy && named == Some(true)
    };
    let refusal = notices.into_iter().rfind(is_its);
    refusal.map_or_else(
        || {
            Error::new(
                ErrorKind::Busy,
                format!("{} is still mounted", volume.settings.name),
            )
            .with_advice("`moorage agent status` says why; --lazy detaches it from those who use it.")
        },
        error_of,
    )
}

#[cfg(test)]
mod tests {
    use moorage_control::truth::Truth;
    use moorage_control::volume::{MetadataUrl, MountOptions, VolumeId, VolumeSettings};

    use super::*;

    fn refusal(point: &str, user: &str) -> Problem {
        Problem {
            code: ProblemCode::MountPointBusy,
            message: format!("unmounting {point}: EBUSY: Device or resource busy"),
            cause: None,
            advice: format!("It is used by {user}."),
            retryable: false,
        }
    }

    #[test]
    fn a_refusal_that_came_late_names_the_users_of_this_volume_and_the_newest_ones() {
        let volume = Volume {
            id: VolumeId("1".to_owned()),
            settings: VolumeSettings {
                name: "disk".to_owned(),
                metadata_url: MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL"),
                mount_point: "/home/ada/disk".to_owned(),
                options: MountOptions::default(),
            },
            state: VolumeState::Mounted,
            truth: Truth::Stored,
            figures: None,
        };
        let notices = vec![
            refusal("/home/ada/disk", "gedit (1)"),
            refusal("/home/ada/disk", "sleep (2)"),
            refusal("/srv/home/ada/disk2", "cat (3)"),
        ];
        let told = still_mounted(&volume, notices);
        assert_eq!(told.kind(), ErrorKind::Busy);
        assert_eq!(told.advice(), Some("It is used by sleep (2)."));
        let untold = still_mounted(&volume, Vec::new());
        assert_eq!(untold.message(), Some("disk is still mounted"));
    }
}
