//! `moorage info`

mod shown;

use std::collections::HashMap;
use std::sync::Arc;

use clap::Args;
use moorage_meta::Meta;
use moorage_meta::admin::{InfoOptions, Progress};
use moorage_model::{Error, ErrorKind, Ino, Result};
use shown::Info;
use tokio::task::spawn_blocking;

use crate::context::Context;
use crate::noun::ENTRIES;
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::{TargetArguments, Targets};
use crate::{concurrency, staged, volume};

/// Show what is known of a file or folder, and which objects hold its data
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// The paths behind the metadata URL are inode numbers
    #[arg(short, long)]
    inode: bool,

    /// Add up everything below a folder, not only its own entries
    #[arg(short, long)]
    recursive: bool,

    /// Show the slices as they are stored instead of the objects
    #[arg(long)]
    raw: bool,

    /// Folders read at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    let meta = volume::open_to_look(&targets.url).await?;
    let options = InfoOptions {
        recursive: arguments.recursive,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Reading",
        unit: ENTRIES,
    };
    let job = async {
        let mut found = Vec::new();
        for ino in nodes(&meta, &targets, arguments.inode).await? {
            let info = meta.info(ino, options, &counts).await;
            found.push(info.map_err(|error| error.context(format!("inode {ino}")))?);
        }
        Ok(found)
    };
    let found = context.watch(work, &counts, job).await?;
    let setting = meta.setting();
    // Looked at last: what is uploaded until then is in the store.
    let uuid = setting.uuid.clone();
    let staged = spawn_blocking(move || staged::only_here(&uuid))
        .await
        .map_err(|error| {
            Error::new(ErrorKind::Io, "the staging folders can not be looked at").with_source(error)
        })?;
    let mut lost: HashMap<u64, u64> = HashMap::new();
    for file in staged::lost_here(&setting.uuid)
        .await
        .into_iter()
        .flat_map(|lost| lost.named)
    {
        *lost.entry(file.inode).or_default() += file.bytes;
    }
    let shown = found.iter().map(|info| {
        let lost = lost.get(&info.ino.0).copied().unwrap_or_default();
        Info::new(info, &setting, arguments.raw, &staged).with_lost(lost)
    });
    let all: Vec<Info> = shown.collect();
    output::print(arguments.output, &all, |all| {
        all.iter().map(Info::text).collect::<Vec<_>>().join("\n")
    })
}

async fn nodes(meta: &Meta, targets: &Targets, inodes: bool) -> Result<Vec<Ino>> {
    let mut nodes = Vec::new();
    for place in &targets.places {
        nodes.push(if inodes {
            number(&place.shown())?
        } else {
            place.node(meta).await?.0
        });
    }
    Ok(nodes)
}

fn number(shown: &str) -> Result<Ino> {
    shown.parse().map(Ino).map_err(|_| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{shown:?} is no inode number"),
        )
        .with_advice("Write the metadata URL and the number, or leave --inode out.")
    })
}
