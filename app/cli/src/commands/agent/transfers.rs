//! `moorage agent transfers`

use std::collections::BTreeMap;

use clap::Args;
use moorage_control::client::Client;
use moorage_control::transfer::{Direction, Progress, Transfer};
use moorage_control::volume::{Volume, VolumeId};
use moorage_model::Result;

use crate::agent::{connect, error_of};
use crate::output::{self, OutputArguments};
use crate::size;

/// Show what is uploaded, what waits, what failed and why, and what was uploaded last
///
/// Files of write-back volumes are listed, since those are uploaded after they were written; at most a hundred for each
/// volume, beside the last five that arrived.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Try what failed again now
    #[arg(long)]
    retry: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let transfers = client.transfers().await.map_err(error_of)?;
    let volumes = client.volumes().await.map_err(error_of)?;
    if arguments.retry {
        retry(&client, &transfers).await?;
    }
    output::print(arguments.output, &transfers, |transfers| {
        shown(transfers, &volumes)
    })
}

/// One for each volume: its mount tries all of them again.
async fn retry(client: &Client, transfers: &[Transfer]) -> Result<()> {
    let failed = transfers
        .iter()
        .filter(|transfer| matches!(transfer.progress, Progress::Failed { .. }));
    let each: BTreeMap<&VolumeId, &Transfer> = failed.map(|transfer| (&transfer.volume, transfer)).collect();
    for transfer in each.into_values() {
        client.retry_transfer(transfer.id).await.map_err(error_of)?;
    }
    Ok(())
}

fn shown(transfers: &[Transfer], volumes: &[Volume]) -> String {
    let rows: Vec<Vec<String>> = transfers.iter().map(|transfer| row(transfer, volumes)).collect();
    let mut text = output::table(&["state", "done", "of", "volume", "file"], &rows);
    for (cause, advice) in causes(transfers) {
        text.push_str(&output::plain(&format!("failed: {cause}. {advice}")));
        text.push('\n');
    }
    text
}

/// The causes of what failed, each once.
fn causes(transfers: &[Transfer]) -> BTreeMap<&str, &str> {
    let failed = transfers.iter().filter_map(|transfer| match &transfer.progress {
        Progress::Failed { problem } => {
            let cause = problem.cause.as_deref().unwrap_or(&problem.message);
            Some((cause, problem.advice.as_str()))
        }
        _ => None,
    });
    failed.collect()
}

fn row(transfer: &Transfer, volumes: &[Volume]) -> Vec<String> {
    let volume = volumes.iter().find(|volume| volume.id == transfer.volume);
    let volume = volume.map_or(transfer.volume.0.as_str(), |volume| volume.settings.name.as_str());
    vec![
        word(transfer),
        size::show(transfer.done),
        size::show(transfer.total),
        volume.to_owned(),
        transfer.path.clone().unwrap_or_else(|| "(not known)".to_owned()),
    ]
}

fn word(transfer: &Transfer) -> String {
    match &transfer.progress {
        Progress::Waiting => "waits".to_owned(),
        Progress::Paused => "paused".to_owned(),
        Progress::Failed { .. } => "failed".to_owned(),
        Progress::Done { .. } => "done".to_owned(),
        Progress::Running { rate } => {
            let way = match transfer.direction {
                Direction::Upload => "up",
                Direction::Download => "down",
            };
            format!("{way}, {}/s", size::show(*rate))
        }
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::problem::{Problem, ProblemCode};
    use moorage_control::state::Timestamp;
    use moorage_control::transfer::TransferId;

    use super::*;

    #[test]
    fn a_cause_that_many_share_is_said_once() {
        let failed = |id| Transfer {
            id: TransferId(id),
            volume: VolumeId("1".to_owned()),
            path: Some(format!("/file {id}")),
            direction: Direction::Upload,
            done: 0,
            total: 2048,
            since: Timestamp(id),
            progress: Progress::Failed {
                problem: Problem {
                    code: ProblemCode::Unreachable,
                    message: "it could not be uploaded yet".to_owned(),
                    cause: Some("the network is gone".to_owned()),
                    advice: "Wait.".to_owned(),
                    retryable: true,
                },
            },
        };
        let text = shown(&[failed(1), failed(2)], &[]);
        assert_eq!(text.matches("the network is gone. Wait.").count(), 1, "{text}");
        assert!(text.contains("/file 1") && text.contains("/file 2"), "{text}");
    }
}
