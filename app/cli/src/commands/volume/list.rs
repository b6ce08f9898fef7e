//! `moorage volume list`

use clap::Args;
use moorage_control::figures::Figures;
use moorage_control::truth::Truth;
use moorage_control::volume::Volume;
use moorage_model::Result;

use super::words::{explanation, word};
use crate::agent::{connect, error_of, truth_in_words};
use crate::noun::{BLOCKS, FILES};
use crate::output::{self, OutputArguments};
use crate::size;

/// List the volumes with their state and figures
///
/// `files` says whether what was written is stored, `waiting` how much is queued for its upload. What was uploaded and
/// downloaded counts since the volume was mounted.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let volumes = client.volumes().await.map_err(error_of)?;
    output::print(arguments.output, &volumes, |volumes| shown(volumes))
}

fn shown(volumes: &[Volume]) -> String {
    let rows: Vec<Vec<String>> = volumes.iter().map(row).collect();
    let heading = [
        "name",
        "state",
        "files",
        "waiting",
        "uploaded",
        "downloaded",
        "cache",
        "mount point",
    ];
    let mut text = output::table(&heading, &rows);
    for volume in volumes {
        let explained = matches!(volume.truth, Truth::Lost { .. } | Truth::Unknown { .. });
        let untold = explained.then(|| truth_in_words(&volume.truth));
        for explanation in explanation(&volume.state).into_iter().chain(untold) {
            let line = format!("{}: {explanation}", volume.settings.name);
            text.push_str(&output::plain(&line));
            text.push('\n');
        }
    }
    text
}

fn row(volume: &Volume) -> Vec<String> {
    let files = match &volume.truth {
        Truth::Stored => "stored".to_owned(),
        Truth::OnlyHere { files, bytes, .. } => {
            format!("{} only here ({})", FILES.count(*files), size::show(*bytes))
        }
        Truth::Lost { .. } => "data lost".to_owned(),
        Truth::Unknown { .. } => "not known".to_owned(),
    };
    let figures = volume.figures.as_ref();
    let figure = |show: &dyn Fn(&Figures) -> String| figures.map_or_else(|| "-".to_owned(), show);
    vec![
        volume.settings.name.clone(),
        word(&volume.state).to_owned(),
        files,
        figure(&|figures| BLOCKS.count(figures.upload_queue)),
        figure(&|figures| size::show(figures.bytes_uploaded)),
        figure(&|figures| size::show(figures.bytes_downloaded)),
        figure(&|figures| size::show(figures.cache.used)),
        volume.settings.mount_point.clone(),
    ]
}
