//! `moorage pair change`

use clap::Args;
use moorage_control::sync::SyncPairSettings;
use moorage_model::Result;

use super::PairArgument;
use super::add::check_patterns;
use super::find::find;
use super::mode::Mode;
use super::rules::RuleArguments;
use crate::agent::{connect, error_of};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Change the mode of a pair, which names and folders it leaves alone, or when it asks
///
/// For other folders remove the pair and add another one; both folders stay as they are.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    /// What the pair is for [default: as it is]
    #[arg(long, value_enum)]
    mode: Option<Mode>,

    /// Leave names alone that match PATTERN; all patterns that there were are replaced [default: as they are]
    #[arg(long, value_name = "PATTERN", conflicts_with = "no_exclude")]
    exclude: Vec<String>,

    /// Leave no names alone, but those that always are
    #[arg(long)]
    no_exclude: bool,

    #[command(flatten)]
    rules: RuleArguments,

    /// Leave no folder out any more
    #[arg(long, conflicts_with = "leave_out")]
    no_leave_out: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    check_patterns(&arguments.exclude)?;
    let left_out = arguments.rules.left_out()?;
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    let ignore = match (arguments.no_exclude, arguments.exclude.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => pair.settings.ignore.clone(),
        (false, false) => arguments.exclude.clone(),
    };
    let settings = SyncPairSettings {
        mode: arguments.mode.map_or(pair.settings.mode, Into::into),
        ignore,
        left_out: match left_out {
            _ if arguments.no_leave_out => Vec::new(),
            Some(left_out) => left_out,
            None => pair.settings.left_out.clone(),
        },
        guard: arguments.rules.guard(pair.settings.guard),
        ..pair.settings
    };
    let pair = client
        .change_sync_pair(&pair.id, settings)
        .await
        .map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &pair, |_| String::new());
    }
    let told = format!("The sync pair of {} is changed.", pair.settings.local_folder);
    context.say(&output::plain(&told));
    Ok(())
}
