//! `moorage volume export`

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use moorage_model::{Error, Result};

use super::NameArgument;
use crate::agent::{connect, error_of, find};
use crate::context::Context;
use crate::io_kind;
use crate::output::{self, OutputArguments};

/// Write a volume of the list to a file that another computer joins it by
///
/// The file says where the database is, what the volume is called and how it is mounted. It holds no password and no key,
/// only which of them are needed: give those another way.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    volume: NameArgument,

    /// The file; one that exists is left alone
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = find(&client, &arguments.volume.name).await?;
    let text = client.export_volume(&volume.id).await.map_err(error_of)?;
    write(arguments, &text).map_err(|error| {
        let what = format!("the volume file {} can not be written", arguments.file.display());
        Error::new(io_kind::of(&error), what)
            .with_source(error)
            .with_advice("Name a file that does not exist, in a folder that you may write to.")
    })?;
    if arguments.output.json {
        return output::print(arguments.output, &volume, |_| String::new());
    }
    let file = output::plain(&arguments.file.display().to_string());
    context.say(&format!(
        "{file} holds no password. `moorage volume join {file} FOLDER` adds the volume on another computer."
    ));
    if volume.settings.metadata_url.as_str().starts_with("sqlite") {
        context.say(
            "Its database is a file on this computer, so the volume is found only where that path leads to the same file.",
        );
    }
    Ok(())
}

fn write(arguments: &Arguments, text: &str) -> io::Result<()> {
    let mut file = File::create_new(&arguments.file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
