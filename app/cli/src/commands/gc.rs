//! `moorage gc`

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use moorage_meta::admin::{Progress, Reclaimed};
use moorage_model::{Error, ErrorKind, Result, SystemClock};
use moorage_vfs::volume_check::{GarbageOptions, GarbageReport, MINIMUM_AGE, ObjectCount, collect_garbage};
use serde_json::{Value, json};

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::following::{FollowArguments, Phase};
use crate::noun::{RECORDS, RECORDS_AND_OBJECTS};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::volume::Volume;
use crate::{concurrency, environment, size};

/// Find what takes space for nothing, and give it back with --delete
///
/// Expired trash, files and pieces whose deletion is pending, abandoned clones, and objects that no file names.
/// Objects younger than an hour are never judged: their writer may be about to name them. When nothing writes to the
/// volume, another age in seconds can be set in JFS_GC_SKIPPEDTIME.
///
/// Ends with exit code 7 when records can not be read: what they stand for is kept, and while one of them may name
/// objects, no object is deleted only because nothing names it.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Delete what is found; otherwise it is only counted
    #[arg(long)]
    delete: bool,

    /// Join the pieces of rewritten files first
    #[arg(long)]
    compact: bool,

    /// Deletions and compactions at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let options = GarbageOptions {
        delete: arguments.delete,
        compact: arguments.compact,
        min_age: environment::gc_age_seconds()?.map_or(MINIMUM_AGE, Duration::from_secs),
        concurrency: arguments.threads,
    };
    let volume = if arguments.delete || arguments.compact {
        Volume::open(&arguments.database.url).await?
    } else {
        Volume::open_to_look(&arguments.database.url).await?
    };
    let counts: Arc<Progress> = Arc::default();
    let phase = Phase {
        work: Work {
            title: "Collecting",
            unit: RECORDS_AND_OBJECTS,
        },
        code: None,
    };
    let store = volume.chunks.store().as_ref();
    let job = collect_garbage(&volume.meta, store, &SystemClock, options, &counts);
    let follow = arguments.follow;
    let report = follow.watch(context, phase, &counts, job).await;
    let name = volume.meta.setting().name.clone();
    volume.close().await?;
    let report = report?;
    follow.print(arguments.output, &as_json(&report, options), |_| {
        as_text(&report, options)
    })?;
    verdict(&report, &name)
}

/// Damaged records are a failure, though the rest was done.
fn verdict(report: &GarbageReport, name: &str) -> Result<()> {
    let damaged = report.unread_owners + report.damaged;
    if damaged == 0 {
        return Ok(());
    }
    let kept = if report.leaks_are_kept() {
        "; objects that nothing names are kept, since they may be named there"
    } else {
        ""
    };
    Err(Error::new(
        ErrorKind::Corrupt,
        format!(
            "{} of volume {name} can not be read{kept}",
            RECORDS.count(damaged)
        ),
    )
    .with_advice("`moorage fsck` names what is damaged; restore it from a backup of the database."))
}

fn as_json(report: &GarbageReport, options: GarbageOptions) -> Value {
    let objects = |count: ObjectCount| json!({"objects": count.objects, "bytes": count.bytes});
    let records = |count: Reclaimed| json!({"count": count.count, "bytes": count.bytes});
    json!({
        "deleted": options.delete,
        "valid": objects(report.valid),
        "delayed": objects(report.delayed),
        "pending": objects(report.pending),
        "leaked": objects(report.leaked),
        "young": objects(report.young),
        "ahead": objects(report.ahead),
        "foreign": objects(report.foreign),
        "expired_trash": {"hours": report.trash.hours, "entries": report.trash.entries},
        "abandoned_clones": records(report.clones),
        "deleted_files": records(report.deleted_files),
        "orphaned_chunks": records(report.orphaned_chunks),
        "expired_slices": records(report.delayed_slices),
        "dead_slices": records(report.dead_slices),
        "compacted_chunks": report.compacted.compacted,
        "damaged_slice_records": report.unread_owners,
        "other_damaged_records": report.damaged,
    })
}

fn as_text(report: &GarbageReport, options: GarbageOptions) -> String {
    let done = if options.delete {
        "deleted"
    } else {
        "can be deleted"
    };
    let leaked = if report.leaks_are_kept() {
        "kept: damaged records may name them"
    } else {
        done
    };
    let row = |what: &str, count: u64, bytes: Option<u64>, state: &str| {
        vec![
            what.to_owned(),
            count.to_string(),
            bytes.map_or_else(String::new, size::show),
            state.to_owned(),
        ]
    };
    let objects =
        |what: &str, count: ObjectCount, state: &str| row(what, count.objects, Some(count.bytes), state);
    let records = |what: &str, count: Reclaimed| row(what, count.count, Some(count.bytes), done);
    let mut rows = vec![
        objects("objects in use", report.valid, "kept"),
        objects(
            "objects of replaced pieces",
            report.delayed,
            "kept for the trash days",
        ),
        objects("objects whose deletion is pending", report.pending, done),
        objects("objects that nothing names", report.leaked, leaked),
        objects("objects too young to judge", report.young, "kept"),
        objects("objects of a newer copy of the database", report.ahead, "kept"),
        objects(
            "keys that are no objects of ours",
            report.foreign,
            "never touched",
        ),
        row("entries of expired trash", report.trash.entries, None, done),
        records("abandoned clones", report.clones),
        records("deleted files", report.deleted_files),
        records("pieces of files that do not exist", report.orphaned_chunks),
        records("replaced pieces past the trash days", report.delayed_slices),
        records("pieces without owners", report.dead_slices),
    ];
    if report.unread_owners + report.damaged > 0 {
        rows.push(row(
            "records that can not be read",
            report.unread_owners + report.damaged,
            None,
            "kept",
        ));
    }
    if options.compact {
        rows.push(row("compacted chunks", report.compacted.compacted, None, "done"));
    }
    output::table(&["what", "count", "size", "state"], &rows)
}
