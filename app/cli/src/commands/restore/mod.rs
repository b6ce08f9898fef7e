//! `moorage restore`

mod entries;

use std::ffi::OsString;
use std::sync::Arc;

use clap::Args;
use moorage_meta::Context as Identity;
use moorage_meta::admin::{Progress, RestoreOptions};
use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::concurrency;
use crate::context::Context;
use crate::following::{FollowArguments, Phase};
use crate::noun::ENTRIES;
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::volume::Volume;

/// Put together, or bring back, what was removed in an hour of the trash
///
/// The hours are the names in `.trash` of a mount, in UTC. Without --put-back the removed folders only get their
/// entries back inside the trash. With --entry only what is named is moved back to where it was: a folder with everything that
/// was removed from inside it in that hour. Folders above it that lie in the trash come back alone first; where another
/// folder has such a one's name now, that is used. Nothing that is there is replaced.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Hours to restore, as YYYY-MM-DD-HH
    #[arg(value_name = "HOUR", required = true)]
    hours: Vec<String>,

    /// Move everything back to where it was removed from, unless something else has its name now
    #[arg(long)]
    put_back: bool,

    /// Only this entry of the one hour, by its name there as `moorage trash list` shows it; may be given several times
    #[arg(long, value_name = "ENTRY", conflicts_with = "put_back")]
    entry: Vec<OsString>,

    /// Entries moved at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What is shown while it goes on.
const RESTORING: Phase = Phase {
    work: Work {
        title: "Restoring",
        unit: ENTRIES,
    },
    code: None,
};

#[derive(Serialize)]
struct Restored {
    hour: String,
    rebuilt: u64,
    put_back: u64,
    left: u64,
    name_taken: u64,
    over_quota: u64,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    if !arguments.entry.is_empty() {
        return entries::run(arguments, context).await;
    }
    let volume = Volume::open(&arguments.database.url).await?;
    let counts: Arc<Progress> = Arc::default();
    let options = RestoreOptions {
        put_back: arguments.put_back,
        concurrency: arguments.threads,
    };
    let job = async {
        let mut all = Vec::new();
        for hour in &arguments.hours {
            let identity = Identity::root();
            let done = volume.meta.restore_trash(&identity, hour, options, &counts).await;
            let done = done.map_err(|error| error.context(format!("hour {hour} of the trash")))?;
            all.push(Restored {
                hour: hour.clone(),
                rebuilt: done.rebuilt,
                put_back: done.put_back,
                left: done.left,
                name_taken: done.name_taken,
                over_quota: done.over_quota,
            });
        }
        Ok(all)
    };
    let result = arguments.follow.watch(context, RESTORING, &counts, job).await;
    volume.close().await?;
    let all = result?;
    arguments.follow.print(arguments.output, &all, |all| {
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|hour| {
                let numbers = [
                    hour.rebuilt,
                    hour.put_back,
                    hour.left,
                    hour.name_taken,
                    hour.over_quota,
                ];
                std::iter::once(hour.hour.clone())
                    .chain(numbers.map(|number| number.to_string()))
                    .collect()
            })
            .collect();
        let heading = ["hour", "rebuilt", "put back", "left", "name taken", "over quota"];
        output::table(&heading, &rows)
    })?;
    match all.iter().map(|hour| hour.over_quota).sum() {
        0 => Ok(()),
        refused => Err(Error::new(
            ErrorKind::QuotaExceeded,
            format!(
                "{} did not fit a quota of the place they were removed from, and stay in the trash",
                ENTRIES.count(refused)
            ),
        )
        .with_advice("Raise the quota with `moorage quota set`, or make room below it, and run this again.")),
    }
}
