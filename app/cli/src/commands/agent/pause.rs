//! `moorage agent pause` and `moorage agent resume`

use std::time::Duration;

use clap::Args;
use moorage_control::settings::Pause;
use moorage_control::state::Timestamp;
use moorage_model::Result;

use crate::agent::{connect, error_of};
use crate::context::Context;
use crate::duration;
use crate::mounting::timestamp;
use crate::output::{self, OutputArguments};

/// Hold uploads, and downloads that nobody waits for
///
/// Written files of write-back volumes stay on this disk, synced, until the pause ends; what is read is still fetched, but
/// nothing ahead of that, no cache is filled, and nothing is compacted in the background. It holds for all mounts of
/// this user, also for those that begin later, and over a restart of the agent. A volume without write-back uploads what
/// is written to it all the same: somebody waits for that.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// How long, such as 15m or 1h [default: until `moorage agent resume`]
    #[arg(long = "for", value_name = "TIME", value_parser = duration::from_seconds)]
    duration: Option<Duration>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// Go on with uploads and downloads
#[derive(Args, Debug)]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn pause(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    // A part of a second counts as a whole one: a pause of none would be over at once.
    let seconds = arguments
        .duration
        .map(|duration| duration.as_secs() + u64::from(duration.subsec_nanos() > 0));
    let pause = client.pause(seconds).await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &pause, |_| String::new());
    }
    context.say(&format!(
        "Uploads, and downloads that nobody waits for, are {}.",
        in_words(pause)
    ));
    Ok(())
}

pub(super) async fn resume(arguments: &ResumeArguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let pause = client.resume().await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &pause, |_| String::new());
    }
    context.say("Uploads and downloads go on.");
    Ok(())
}

/// How transfers are, after "are".
pub(super) fn in_words(pause: Pause) -> String {
    match pause {
        Pause::Running => "running".to_owned(),
        Pause::Paused { until: None } => "paused until `moorage agent resume`".to_owned(),
        Pause::Paused { until: Some(until) } => format!("paused for {} more", left(until)),
    }
}

/// The time that is left, in whole minutes when it is long.
fn left(until: Timestamp) -> String {
    let now = timestamp(std::time::SystemTime::now());
    let seconds = until.0.saturating_sub(now.0).div_ceil(1000);
    match seconds {
        0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_is_said() {
        let now = timestamp(std::time::SystemTime::now());
        let paused = |milliseconds| {
            in_words(Pause::Paused {
                until: Some(Timestamp(now.0 + milliseconds)),
            })
        };
        assert_eq!(paused(3_600_000), "paused for 60 min more");
        assert!(paused(0).ends_with(" 0 s more"));
        assert_eq!(in_words(Pause::Running), "running");
    }
}
