//! `moorage clone`

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::{CloneOptions, Progress};
use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::context::Context;
use crate::noun::NODES;
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::TargetArguments;
use crate::volume::Volume;
use crate::{concurrency, mounted, size};

/// Copy a file or a folder inside a volume without copying its data
///
/// SOURCE and DESTINATION lie in the same volume; DESTINATION must not exist. The copy counts as used space at once,
/// objects are shared until either side is written to.
#[derive(Args, Debug)]
#[command(override_usage = "moorage clone [OPTIONS] [META-URL] <SOURCE> <DESTINATION>")]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// Keep owner, mode and times of every file
    #[arg(short = 'P', long)]
    preserve: bool,

    /// Folders at work at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Serialize)]
struct Cloned {
    inode: u64,
    nodes: u64,
    space: u64,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    let [source, destination] = targets.places.as_slice() else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "clone needs a source and a destination",
        )
        .with_advice("Write: moorage clone SOURCE DESTINATION"));
    };
    let volume = Volume::open(&targets.url).await?;
    let (source, _) = source.node(&volume.meta).await?;
    let (parent, name) = destination.entry(&volume.meta).await?;
    destination.refuse_hidden(parent, &name)?;
    destination.refuse_hidden(parent, &name)?;
    let options = CloneOptions {
        preserve: arguments.preserve,
        umask: mounted::umask(),
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Cloning",
        unit: NODES,
    };
    let job = volume
        .meta
        .clone_tree(&targets.identity, source, parent, &name, options, &counts);
    let cloned = context.watch(work, &counts, job).await;
    let cloned = cloned.map_err(|error| error.context(destination.shown()));
    volume.close().await?;
    let cloned = cloned?;
    let cloned = Cloned {
        inode: cloned.ino.0,
        nodes: cloned.nodes,
        space: cloned.space,
    };
    output::print(arguments.output, &cloned, |cloned| {
        format!(
            "Cloned {}, {}.",
            NODES.count(cloned.nodes),
            size::show(cloned.space)
        )
    })
}
