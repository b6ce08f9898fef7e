//! Deleting for good.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args};
use moorage_control::trash::TrashPurged;
use moorage_meta::admin::{Progress, PurgeScope, ReclaimMode};
use moorage_model::{Clock as _, Error, ErrorKind, Result, SystemClock};

use super::hours::unreadable;
use super::shown;
use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::following::{FollowArguments, Phase};
use crate::noun::{ENTRIES, HOURS};
use crate::output::OutputArguments;
use crate::progress::Work;
use crate::volume::Volume;
use crate::{concurrency, duration};

/// Delete for good what lies in the trash, before its time
///
/// There is no way back. Whole hours go by --older-than or --all; single entries of an hour by --entry, a folder with
/// everything that was removed from inside it in that hour.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(false).args(["entry", "older_than", "all"]))]
pub(super) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// The hour of the entries, as YYYY-MM-DD-HH in UTC
    #[arg(value_name = "HOUR", requires = "entry")]
    hour: Option<String>,

    /// Name of an entry in the hour, as `moorage trash list` shows it; may be given several times
    #[arg(long, value_name = "ENTRY", requires = "hour")]
    entry: Vec<OsString>,

    /// Hours that were over so long ago, such as 7d or 12h
    #[arg(long, value_name = "TIME", value_parser = duration::with_unit)]
    older_than: Option<Duration>,

    /// Everything, what was removed a moment ago too
    #[arg(long)]
    all: bool,

    /// Delete nothing, only count
    #[arg(long, conflicts_with = "entry")]
    dry_run: bool,

    /// Folders at work at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let url = &arguments.database.url;
    let volume = if arguments.dry_run {
        Volume::open_to_look(url).await?
    } else {
        Volume::open(url).await?
    };
    let counts: Arc<Progress> = Arc::default();
    let phase = Phase {
        work: Work {
            title: if arguments.dry_run { "Counting" } else { "Deleting" },
            unit: ENTRIES,
        },
        code: None,
    };
    let job = async {
        match &arguments.hour {
            Some(hour) => purge_chosen(&volume, arguments, hour, &counts).await,
            None => purge_hours(&volume, arguments, &counts).await,
        }
    };
    let purged = arguments.follow.watch(context, phase, &counts, job).await;
    volume.close().await?;
    let purged = purged?;
    arguments.follow.print(arguments.output, &purged, as_text)?;
    verdict(&purged)
}

async fn purge_chosen(
    volume: &Volume,
    arguments: &Arguments,
    hour: &str,
    counts: &Progress,
) -> Result<TrashPurged> {
    let mut names = Vec::with_capacity(arguments.entry.len());
    let mut missing = Vec::new();
    for entry in &arguments.entry {
        match volume
            .meta
            .find_trash_entry(hour, &shown::entry_bytes(entry))
            .await
        {
            Ok(name) => names.push(name),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // An hour that is not there is told as itself.
                volume.meta.find_trash_hour(hour).await?;
                missing.push(entry.to_string_lossy().into_owned());
            }
            Err(error) => return Err(error),
        }
    }
    let done = volume
        .meta
        .purge_entries(hour, &names, arguments.threads, counts)
        .await
        .map_err(|error| error.context(format!("hour {hour} of the trash")))?;
    let gone = done.iter().filter(|entry| !entry.deleted);
    missing.extend(gone.map(|entry| shown::text(&entry.stored)));
    let deleted = done.iter().filter(|entry| entry.deleted);
    Ok(TrashPurged {
        deleted: true,
        hours: 0,
        entries: deleted.map(|entry| entry.below + 1).sum(),
        missing,
        damaged: 0,
    })
}

async fn purge_hours(volume: &Volume, arguments: &Arguments, counts: &Progress) -> Result<TrashPurged> {
    let scope = match arguments.older_than {
        Some(age) => {
            let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            PurgeScope::OverBefore(SystemClock.now().seconds.saturating_sub(age))
        }
        None => PurgeScope::Everything,
    };
    let mode = if arguments.dry_run {
        ReclaimMode::DryRun
    } else {
        ReclaimMode::Delete
    };
    let done = volume
        .meta
        .purge_trash(scope, mode, arguments.threads, counts)
        .await?;
    Ok(TrashPurged {
        deleted: !arguments.dry_run,
        hours: done.hours,
        entries: done.entries,
        missing: Vec::new(),
        damaged: done.damaged,
    })
}

fn verdict(purged: &TrashPurged) -> Result<()> {
    if purged.damaged > 0 {
        return Err(unreadable(purged.damaged));
    }
    match purged.missing.len() as u64 {
        0 => Ok(()),
        missing => Err(Error::new(
            ErrorKind::NotFound,
            format!("{} were not in the trash any more", ENTRIES.count(missing)),
        )
        .with_advice("Somebody else may have restored or deleted them.")),
    }
}

fn as_text(purged: &TrashPurged) -> String {
    let entries = ENTRIES.count(purged.entries);
    let of = match purged.hours {
        0 => String::new(),
        hours => format!(" of {}", HOURS.count(hours)),
    };
    if purged.deleted {
        format!("Deleted {entries}{of} for good.\n")
    } else {
        format!("Would delete {entries}{of} for good, and what lies in folders among them.\n")
    }
}
