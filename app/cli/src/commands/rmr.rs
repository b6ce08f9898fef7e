//! `moorage rmr`

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_model::Result;
use serde::Serialize;

use crate::context::Context;
use crate::noun::ENTRIES;
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::TargetArguments;
use crate::volume::Volume;
use crate::{concurrency, size};

/// Remove files, and folders with everything in them, much faster than rm -r
///
/// What is removed goes to the trash when the volume has one; what lies in the trash is deleted for good. A mount shows the change once its caches expire, by
/// default within a second.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// Delete for good, whatever the trash setting of the volume
    #[arg(long)]
    skip_trash: bool,

    /// Folders at work at the same time
    #[arg(short = 'p', long, default_value_t = 50, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Serialize)]
struct Removed {
    entries: u64,
    bytes: u64,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    // Nothing is removed when one of them can not be.
    for place in &targets.places {
        place.check_writable()?;
        place.check_named()?;
    }
    let volume = Volume::open(&targets.url).await?;
    let counts: Arc<Progress> = Arc::default();
    let options = RemoveTreeOptions {
        skip_trash: arguments.skip_trash,
        concurrency: arguments.threads,
    };
    let work = Work {
        title: "Removing",
        unit: ENTRIES,
    };
    let job = async {
        for place in &targets.places {
            let (parent, name) = place.entry(&volume.meta).await?;
            volume
                .meta
                .remove_tree(&targets.identity, parent, &name, options, &counts)
                .await
                .map_err(|error| error.context(place.shown()))?;
        }
        Ok(())
    };
    let result = context.watch(work, &counts, job).await;
    volume.close().await?;
    result?;
    let counts = counts.counts();
    let removed = Removed {
        entries: counts.done,
        bytes: counts.bytes,
    };
    output::print(arguments.output, &removed, |removed| {
        format!(
            "Removed {}, {}.",
            ENTRIES.count(removed.entries),
            size::show(removed.bytes)
        )
    })
}
