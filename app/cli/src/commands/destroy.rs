//! `moorage destroy`

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::Progress;
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::volume_check::{DestroyOptions, destroy_volume};

use crate::arguments::MetaUrlArgument;
use crate::context::Context;
use crate::noun::OBJECTS;
use crate::progress::Work;
use crate::volume::Volume;
use crate::{concurrency, output};

/// Delete a volume: every object and every record
///
/// What is among its objects and bears no name of the format stays where it is, and is counted.
/// The UUID, which `moorage status` shows, has to be given so that a wrong address destroys nothing.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// UUID of the volume
    uuid: String,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Also while somebody uses the volume
    #[arg(long)]
    force: bool,

    /// Deletions at the same time
    #[arg(short = 'p', long, default_value_t = 20, value_parser = concurrency::parse)]
    threads: usize,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let volume = Volume::open(&arguments.database.url).await?;
    let name = volume.meta.setting().name.clone();
    if !arguments.yes {
        let asked = name.clone();
        tokio::task::spawn_blocking(move || confirm(&asked))
            .await
            .unwrap_or_else(|error| {
                Err(Error::new(ErrorKind::Io, "nobody could be asked").with_source(error))
            })?;
    }
    let options = DestroyOptions {
        force: arguments.force,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Destroying",
        unit: OBJECTS,
    };
    let store = volume.chunks.store().as_ref();
    let job = destroy_volume(&volume.meta, store, &arguments.uuid, options, &counts);
    let others = context.watch(work, &counts, job).await?;
    volume.meta.engine().close().await?;
    context.say(&format!("Volume {name} is gone."));
    if others > 0 {
        context.say(&format!(
            "{} that no volume makes stay in its place: {}.",
            OBJECTS.count(others),
            store.describe()
        ));
    }
    Ok(())
}

/// Asks the person at the terminal to type the name.
fn confirm(name: &str) -> Result<()> {
    let refused = |why: &str| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("volume {name} was not destroyed: {why}"),
        )
        .with_advice("Add --yes to destroy it without being asked.")
    };
    if !std::io::stdin().is_terminal() {
        return Err(refused("nobody can be asked"));
    }
    output::tell(&format!(
        "All files of volume {name} will be lost. Type its name to go on:"
    ));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| refused("the answer can not be read").with_source(error))?;
    if answer.trim() == name {
        Ok(())
    } else {
        Err(refused("another name was typed"))
    }
}
