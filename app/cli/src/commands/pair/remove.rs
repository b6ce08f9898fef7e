//! `moorage pair remove`

use clap::Args;
use moorage_model::Result;

use super::PairArgument;
use super::find::find;
use crate::agent::{connect, error_of};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Take a pair off the list; both folders stay as they are
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    client.remove_sync_pair(&pair.id).await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &pair, |_| String::new());
    }
    let told = format!(
        "{} is not kept in sync any more. Both folders are as they were.",
        pair.settings.local_folder
    );
    context.say(&output::plain(&told));
    Ok(())
}
