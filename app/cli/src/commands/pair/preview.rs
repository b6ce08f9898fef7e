//! `moorage pair preview`

use clap::Args;
use moorage_model::Result;

use super::PairArgument;
use super::find::find;
use super::words::preview_in_words;
use crate::agent::{connect, error_of};
use crate::output::{self, OutputArguments};

/// Say what the next run of a pair would do, as far as names, sizes and times tell; change nothing
///
/// `moorage pair add --dry` does that for a pair that is not in the list.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pair: PairArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let pair = find(&client, &arguments.pair.pair).await?;
    let preview = client.preview_sync_pair(Some(pair.id), pair.settings).await;
    output::print(arguments.output, &preview.map_err(error_of)?, preview_in_words)
}
