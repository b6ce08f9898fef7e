//! `moorage pair list`

use clap::Args;
use moorage_control::sync::SyncPair;
use moorage_control::volume::Volume;
use moorage_model::Result;

use super::mode;
use super::words::{distance, lines, run_in_words, word};
use crate::agent::{connect, error_of};
use crate::output::{self, OutputArguments};

/// List the pairs with their state, what the last run did, conflicts and what failed
///
/// Below the table stands what a pair asks, why it waits, which files failed and why, and which versions got another name.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let pairs = client.sync_pairs().await.map_err(error_of)?;
    let volumes = client.volumes().await.map_err(error_of)?;
    output::print(arguments.output, &pairs, |pairs| shown(pairs, &volumes))
}

/// Pairs as a table, with what there is to say below it.
pub(super) fn shown(pairs: &[SyncPair], volumes: &[Volume]) -> String {
    let rows: Vec<Vec<String>> = pairs.iter().map(|pair| row(pair, volumes)).collect();
    let heading = [
        "folder",
        "with",
        "mode",
        "state",
        "last run",
        "what it did",
        "next run",
    ];
    let mut text = output::table(&heading, &rows);
    for pair in pairs {
        for line in lines(pair, name_of(pair, volumes)) {
            let line = format!("{}: {line}", pair.settings.local_folder);
            text.push_str(&output::plain(&line));
            text.push('\n');
        }
    }
    text
}

fn name_of<'a>(pair: &'a SyncPair, volumes: &'a [Volume]) -> &'a str {
    let volume = volumes.iter().find(|volume| volume.id == pair.settings.volume);
    volume.map_or(pair.settings.volume.0.as_str(), |volume| {
        volume.settings.name.as_str()
    })
}

fn row(pair: &SyncPair, volumes: &[Volume]) -> Vec<String> {
    let run = pair.last_run.as_ref();
    vec![
        pair.settings.local_folder.clone(),
        format!("{}/{}", name_of(pair, volumes), pair.settings.volume_folder),
        mode::word(pair.settings.mode).to_owned(),
        word(&pair.state).to_owned(),
        distance(run.map(|run| run.ended)),
        run.map_or_else(|| "-".to_owned(), run_in_words),
        distance(pair.next_run),
    ]
}
