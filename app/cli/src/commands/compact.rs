//! `moorage compact`

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::{CompactSummary, Progress};
use moorage_model::Result;
use serde::Serialize;

use crate::concurrency;
use crate::context::Context;
use crate::noun::{CHUNKS, FILES, PIECES, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::TargetArguments;
use crate::volume::Volume;

/// Join the many small pieces that rewritten files are made of
///
/// Reading gets faster and objects that no longer show are given up: at once, or when the trash days are over.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// Folders at work at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What was done, for programs.
#[derive(Serialize)]
pub(crate) struct Compacted {
    chunks: u64,
    compacted: u64,
    replaced_slices: u64,
    given_up: u64,
}

impl Compacted {
    fn add(&mut self, summary: CompactSummary) {
        self.chunks += summary.chunks;
        self.compacted += summary.compacted;
        self.replaced_slices += summary.replaced;
        self.given_up += summary.given_up;
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    let volume = Volume::open(&targets.url).await?;
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Compacting",
        unit: FILES,
    };
    let job = async {
        let mut done = Compacted {
            chunks: 0,
            compacted: 0,
            replaced_slices: 0,
            given_up: 0,
        };
        for place in &targets.places {
            place.check_writable()?;
            let (ino, _) = place.node(&volume.meta).await?;
            let summary = volume.meta.compact_tree(ino, arguments.threads, &counts).await;
            done.add(summary.map_err(|error| error.context(place.shown()))?);
        }
        Ok(done)
    };
    let result = context.watch(work, &counts, job).await;
    volume.close().await?;
    output::print(arguments.output, &result?, |done| {
        format!(
            "Compacted {} of {} with more than one piece; {} joined; {} left as {}.",
            done.compacted,
            CHUNKS.count(done.chunks),
            PIECES.count(done.replaced_slices),
            done.given_up,
            agree(done.given_up, "it was", "they were")
        )
    })
}
