//! `moorage probe`

mod database;
mod network;
mod objects;

use clap::Args;
use moorage_control::check::CheckStep;
use moorage_model::{Error, ErrorKind, Result};

use crate::arguments::{MetaUrlArgument, SecretsArguments, StoreArguments};
use crate::checklist::{self, Steps};
use crate::noun::STEPS;
use crate::output::{self, OutputArguments};

/// The steps to a volume, in the order in which they are tried.
const TO_VOLUME: [CheckStep; 11] = [
    CheckStep::MetadataPing,
    CheckStep::Dns,
    CheckStep::Tcp,
    CheckStep::Tls,
    CheckStep::ClockSkew,
    CheckStep::Authentication,
    CheckStep::List,
    CheckStep::Put,
    CheckStep::Get,
    CheckStep::Delete,
    CheckStep::Latency,
];

/// Try each step from this computer to a volume, and say which one fails and why
///
/// With an address alone it tries a volume that exists: its database, and the object store that its setting names. With
/// a name, and the options of `format`, it tries what a new volume of that name would need, and makes none. A small
/// object is written below testing/, read back and deleted. Each step waits 10 seconds at most.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) database: MetaUrlArgument,

    /// Name that a new volume would have
    name: Option<String>,

    #[command(flatten)]
    store: StoreArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    arguments.secrets.take()?;
    let url = &arguments.database.url;
    let mut steps = Steps::default();
    let mut wanted = TO_VOLUME.to_vec();
    if let Some(name) = &arguments.name {
        let setting = arguments.store.new_setting(name)?;
        database::find_room(&mut steps, url).await;
        if let Some(store) = objects::try_store(&mut steps, &setting).await {
            objects::find_place(&mut steps, store.as_ref()).await;
        }
        wanted.push(CheckStep::PrefixEmpty);
    } else if arguments.store.is_given() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "an object store is given, but no name of a volume that would be made in it",
        )
        .with_advice("Give a name too, or leave the store out to try the volume of the database."));
    } else if let Some(setting) = database::find_volume(&mut steps, url).await {
        objects::try_store(&mut steps, &setting).await;
    }
    let list = steps.finish(&wanted);
    output::print(arguments.output, &list, checklist::describe)?;
    match checklist::failed(&list) {
        0 => Ok(()),
        failed => Err(Error::new(
            ErrorKind::Corrupt,
            format!("{} of {} failed", STEPS.count(failed), list.lines.len()),
        )
        .with_advice("What is wrong with each, and what to do, stands below it.")),
    }
}
