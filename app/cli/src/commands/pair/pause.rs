//! `moorage pair pause` and `moorage pair resume`

use clap::Args;
use moorage_model::Result;

use super::PairArgument;
use super::find::find;
use crate::agent::{connect, error_of};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Hold a pair until it is resumed, also over a restart of the agent
///
/// A run that is under way is cut off, which harms nothing.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// Let a pair go on
#[derive(Args, Debug)]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    pair: PairArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn pause(arguments: &Arguments, context: &Context) -> Result<()> {
    set(&arguments.pair, true, arguments.output, context).await
}

pub(super) async fn resume(arguments: &ResumeArguments, context: &Context) -> Result<()> {
    set(&arguments.pair, false, arguments.output, context).await
}

async fn set(pair: &PairArgument, paused: bool, output: OutputArguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &pair.pair).await?;
    let pair = client.pause_sync_pair(&pair.id, paused).await.map_err(error_of)?;
    if output.json {
        return output::print(output, &pair, |_| String::new());
    }
    let how = if paused { "is paused" } else { "goes on" };
    let told = format!("The sync pair of {} {how}.", pair.settings.local_folder);
    context.say(&output::plain(&told));
    Ok(())
}
