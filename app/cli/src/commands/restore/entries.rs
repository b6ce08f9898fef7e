//! Restoring what was chosen.

use std::sync::Arc;

use moorage_control::trash::{RestoreOutcome, TrashRestored};
use moorage_meta::Context as Identity;
use moorage_meta::admin::{Progress, RestoreOptions};
use moorage_model::{Error, ErrorKind, Result};

use super::{Arguments, RESTORING};
use crate::commands::trash::{entry_bytes, restored};
use crate::context::Context;
use crate::noun::ENTRIES;
use crate::output;
use crate::volume::Volume;

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let [hour] = arguments.hours.as_slice() else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "entries of several hours are named at once",
        )
        .with_advice("Run the command once for each hour."));
    };
    let volume = Volume::open(&arguments.database.url).await?;
    let counts: Arc<Progress> = Arc::default();
    let job = restore(&volume, arguments, hour, &counts);
    let done = arguments.follow.watch(context, RESTORING, &counts, job).await;
    volume.close().await?;
    let done = done?;
    arguments.follow.print(arguments.output, &done, |done| {
        done.iter().map(sentence).collect::<String>()
    })?;
    verdict(&done)
}

async fn restore(
    volume: &Volume,
    arguments: &Arguments,
    hour: &str,
    counts: &Progress,
) -> Result<Vec<TrashRestored>> {
    let meta = &volume.meta;
    meta.find_trash_hour(hour).await?;
    let options = RestoreOptions {
        put_back: true,
        concurrency: arguments.threads,
    };
    let mut done = Vec::with_capacity(arguments.entry.len());
    let mut names = Vec::with_capacity(arguments.entry.len());
    for entry in &arguments.entry {
        match meta.find_trash_entry(hour, &entry_bytes(entry)).await {
            Ok(name) => names.push(name),
            Err(error) if error.kind() == ErrorKind::NotFound => done.push(TrashRestored {
                entry: entry.to_string_lossy().into_owned(),
                path: None,
                outcome: RestoreOutcome::NotThere,
                folders: 0,
                inside: 0,
                left: 0,
            }),
            Err(error) => return Err(error),
        }
    }
    let found = meta
        .restore_entries(&Identity::root(), hour, &names, options, counts)
        .await
        .map_err(|error| error.context(format!("hour {hour} of the trash")))?;
    done.extend(found.iter().map(restored));
    Ok(done)
}

fn sentence(done: &TrashRestored) -> String {
    let what = output::plain(done.path.as_ref().unwrap_or(&done.entry));
    let also = match done.inside {
        0 => String::new(),
        inside => format!(", with {} inside", ENTRIES.count(inside)),
    };
    let left = match done.left {
        0 => String::new(),
        left => format!("; {} of it stay in the trash", ENTRIES.count(left)),
    };
    let fate = match done.outcome {
        RestoreOutcome::Restored => return format!("{what}: restored{also}{left}.\n"),
        RestoreOutcome::NameTaken => "something else has its name there now",
        RestoreOutcome::FolderGone => "the folder it was in is gone for good",
        RestoreOutcome::OverQuota => "a quota there, or the volume, is too small",
        RestoreOutcome::NotThere => "it is not in the trash any more",
        RestoreOutcome::Unnamed => "its name in the trash does not tell where it was",
    };
    format!("{what}: not restored: {fate}.\n")
}

/// The first reason decides the kind.
fn verdict(done: &[TrashRestored]) -> Result<()> {
    let of_kind = |outcome: RestoreOutcome| match outcome {
        RestoreOutcome::Restored => None,
        RestoreOutcome::NameTaken => Some((
            ErrorKind::Exists,
            "Rename or remove what is there now, and restore it again.",
        )),
        RestoreOutcome::FolderGone | RestoreOutcome::Unnamed => Some((
            ErrorKind::NotFound,
            "Copy it from `.trash` of a mount as root to where you want it.",
        )),
        RestoreOutcome::OverQuota => Some((
            ErrorKind::QuotaExceeded,
            "Raise the quota with `moorage quota set`, or make room, and restore it again.",
        )),
        RestoreOutcome::NotThere => Some((
            ErrorKind::NotFound,
            "It may have been restored, or deleted for good, by somebody else.",
        )),
    };
    let failed: Vec<_> = done.iter().filter_map(|one| of_kind(one.outcome)).collect();
    if let Some((kind, advice)) = failed.first() {
        let what = format!("{} could not be restored", ENTRIES.count(failed.len() as u64));
        return Err(Error::new(*kind, what).with_advice(*advice));
    }
    match done.iter().map(|one| one.left).sum::<u64>() {
        0 => Ok(()),
        left => Err(Error::new(
            ErrorKind::QuotaExceeded,
            format!(
                "{} inside restored folders stay in the trash",
                ENTRIES.count(left)
            ),
        )
        .with_advice(
            "Something else has their names, or a quota there is too small: `moorage trash list` shows them.",
        )),
    }
}
