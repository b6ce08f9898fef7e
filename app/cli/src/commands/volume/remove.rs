//! `moorage volume remove`

use clap::Args;
use moorage_model::Result;

use super::NameArgument;
use crate::agent::{connect, error_of, find};
use crate::context::Context;
use crate::output::{self, OutputArguments};

/// Take a volume off the list; nothing of its data is touched
///
/// It has to be unmounted first. Its passwords and keys are removed from where they are kept.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    volume: NameArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = find(&client, &arguments.volume.name).await?;
    client.remove_volume(&volume.id).await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &volume, |_| String::new());
    }
    context.say(&format!(
        "{} is off the list. Its data is where it was.",
        output::plain(&volume.settings.name)
    ));
    Ok(())
}
