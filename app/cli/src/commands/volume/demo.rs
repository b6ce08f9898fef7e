//! `moorage volume demo`

use clap::Args;
use moorage_control::volume::AddVolume;
use moorage_model::Result;

use super::mount;
use crate::agent::{connect, error_of};
use crate::context::Context;
use crate::output::OutputArguments;

/// Make a volume on this computer, with nothing to fill in, add it to the list and mount it
///
/// Its database and its objects are in this user's data folder, and it is mounted at "Moorage Demo" in the home folder.
/// Where it was made before, it comes back with its files.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = client.add_volume(AddVolume::Demo).await.map_err(error_of)?;
    mount::mount(&client, &volume, true, arguments.output, context).await
}
