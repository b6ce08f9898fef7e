//! `moorage pair add`

use std::path::{Path, PathBuf};

use clap::Args;
use moorage_control::sync::{SyncGuard, SyncPairSettings};
use moorage_model::{Error, ErrorKind, Result};
use moorage_sync::Verdict;
use moorage_sync::pair::PairOptions;

use super::mode::Mode;
use super::rules::RuleArguments;
use super::words::preview_in_words;
use crate::agent::{connect, error_of, find};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Keep a local folder in sync with a folder of a volume of the list
///
/// The folder of the volume is made when it does not exist; so is the local one, unless it is to be backed up. What both sides
/// have is compared, and where they differ one version gets another name: nothing is overwritten unseen. Before more than a
/// hundred files, or a quarter of all, would be removed, it asks: see `moorage pair answer`; other limits can be set.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The folder of this computer
    #[arg(value_name = "LOCAL")]
    local: PathBuf,

    /// Name of the volume in the list, or its id
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// The folder in the volume; / is all of it [default: the name of LOCAL]
    #[arg(value_name = "FOLDER")]
    folder: Option<String>,

    /// What the pair is for
    #[arg(long, value_enum, default_value_t = Mode::TwoWay)]
    mode: Mode,

    /// Leave names alone that match PATTERN, on both sides. * and ? stop at /, ** does not, and [a-z] is one character; / at
    /// the start means from the root, / at the end folders only
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,

    #[command(flatten)]
    rules: RuleArguments,

    /// Add nothing; say what the first run would do
    #[arg(long)]
    dry: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    check_patterns(&arguments.exclude)?;
    let left_out = arguments.rules.left_out()?;
    let client = connect().await?;
    let volume = find(&client, &arguments.volume).await?;
    let local_folder = absolute(&arguments.local)?;
    let volume_folder = match &arguments.folder {
        Some(folder) => folder.clone(),
        None => Path::new(&local_folder)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    };
    let settings = SyncPairSettings {
        local_folder,
        volume: volume.id.clone(),
        volume_folder: volume_folder.trim_matches('/').to_owned(),
        mode: arguments.mode.into(),
        ignore: arguments.exclude.clone(),
        left_out: left_out.unwrap_or_default(),
        guard: arguments.rules.guard(SyncGuard::default()),
    };
    if arguments.dry {
        let preview = client.preview_sync_pair(None, settings).await.map_err(error_of)?;
        return output::print(arguments.output, &preview, preview_in_words);
    }
    let pair = client.add_sync_pair(settings).await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &pair, |_| String::new());
    }
    let SyncPairSettings {
        local_folder,
        volume_folder,
        ..
    } = &pair.settings;
    let name = &volume.settings.name;
    let told = format!(
        "{local_folder} is kept in sync with {name}/{volume_folder}. `moorage pair list` shows how it is."
    );
    context.say(&output::plain(&told));
    Ok(())
}

/// Whether each pattern can be understood.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_patterns(patterns: &[String]) -> Result<()> {
    let rules = patterns
        .iter()
        .map(|pattern| (Verdict::Exclude, pattern.as_str()));
    PairOptions::filter_of(rules).map(drop)
}

fn absolute(path: &Path) -> Result<String> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidArgument, what);
    let absolute = std::path::absolute(path)
        .map_err(|error| wrong(format!("the path {}", path.display())).with_source(error))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|path| wrong(format!("the path {} is not UTF-8", path.to_string_lossy())))
}
