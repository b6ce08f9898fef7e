//! `moorage fsck`

use std::sync::Arc;

use clap::Args;
use moorage_chunk::ContentProof;
use moorage_meta::admin::{CheckOptions, CheckReport, CheckScope, Finding, Progress, RepairState, Severity};
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::volume_check::{ObjectCheckOptions, check_objects, verify_contents};
use serde_json::{Value, json};

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::following::{FollowArguments, Phase};
use crate::noun::{ENTRIES, ERRORS, FINDINGS, NODES, OBJECTS, RECORDS, SLICES, WARNINGS, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::volume::Volume;
use crate::{concurrency, staged, target};

/// Check that a volume is whole: its records against each other, and its objects against its records
///
/// Ends with exit code 7 when something is wrong that was not repaired; numbers that are allowed to drift are only
/// noted. A volume in use can be checked. Contents of objects are read only with --verify-contents.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Check only this folder of the volume and everything below it
    #[arg(long)]
    path: Option<String>,

    /// Repair what has a safe repair
    #[arg(long)]
    repair: bool,

    /// Read the content of every object too: decrypt it, decompress it, compare its length
    ///
    /// Encrypted objects are authenticated, so that every changed byte is found. Others carry no checksum: of compressed
    /// ones what can not be decompressed to its length is found, of plain ones only another length. Objects are read
    /// from the store, past the caches.
    #[arg(long)]
    verify_contents: bool,

    /// Objects asked for, or read, at the same time
    #[arg(short = 'p', long, default_value_t = 20, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// The records of the volume are compared with each other.
const RECORDS_PHASE: Phase = Phase {
    work: Work {
        title: "Checking records",
        unit: RECORDS,
    },
    code: Some("records"),
};
/// The objects that they name are looked for.
const OBJECTS_PHASE: Phase = Phase {
    work: Work {
        title: "Looking for objects",
        unit: OBJECTS,
    },
    code: Some("objects"),
};
/// Objects are read.
const CONTENTS_PHASE: Phase = Phase {
    work: Work {
        title: "Reading objects",
        unit: OBJECTS,
    },
    code: Some("contents"),
};

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let volume = Volume::open_to_check(&arguments.database.url, arguments.repair).await?;
    let scope = match &arguments.path {
        Some(path) => CheckScope::Tree(target::resolve(&volume.meta, path.as_bytes()).await?.0),
        None => CheckScope::Volume,
    };
    let options = CheckOptions {
        scope,
        repair: arguments.repair,
    };
    let report = check(arguments, context, &volume, options).await;
    let name = volume.meta.setting().name.clone();
    let proof = arguments.verify_contents.then(|| volume.chunks.content_proof());
    volume.close().await?;
    let report = report?;
    arguments
        .follow
        .print(arguments.output, &as_json(&report, proof), |_| {
            as_text(&report, proof)
        })?;
    verdict(&report, &name)
}

/// Phase after phase, each with counts of its own.
async fn check(
    arguments: &Arguments,
    context: &Context,
    volume: &Volume,
    options: CheckOptions,
) -> Result<CheckReport> {
    let follow = arguments.follow;
    let (meta, store) = (&volume.meta, volume.chunks.store().as_ref());
    let objects = ObjectCheckOptions {
        scope: options.scope,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let mut report = follow
        .watch(context, RECORDS_PHASE, &counts, meta.check(options, &counts))
        .await?;
    let counts: Arc<Progress> = Arc::default();
    let uuid = meta.setting().uuid.clone();
    let only_here = || staged::only_here(&uuid);
    let job = check_objects(meta, store, objects, &only_here, &counts);
    report.merge(follow.watch(context, OBJECTS_PHASE, &counts, job).await?);
    if arguments.verify_contents {
        let counts: Arc<Progress> = Arc::default();
        let job = verify_contents(meta, &volume.chunks, objects, &counts);
        report.merge(follow.watch(context, CONTENTS_PHASE, &counts, job).await?);
    }
    Ok(report)
}

/// Notes are no failure.
fn verdict(report: &CheckReport, name: &str) -> Result<()> {
    match report.worst() {
        None | Some(Severity::Note) => Ok(()),
        Some(_) => {
            let of = |severity| report.open.get(&severity).copied().unwrap_or(0);
            let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
            Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "volume {name} has {} and {}",
                    ERRORS.count(errors),
                    WARNINGS.count(warnings)
                ),
            )
            .with_advice(if report.repairable > 0 {
                "What the list marks as repairable is repaired by `moorage fsck --repair`."
            } else {
                "No safe repair is left; the list says what to do about each finding."
            }))
        }
    }
}

/// How far contents were checked, for scripts.
fn contents_code(proof: Option<ContentProof>) -> &'static str {
    match proof {
        None => "not-read",
        Some(ContentProof::Length) => "length",
        Some(ContentProof::Decompressed) => "decompressed",
        Some(ContentProof::Authenticated) => "authenticated",
    }
}

/// How far contents were checked, in words.
fn contents_text(proof: Option<ContentProof>, objects: u64) -> String {
    let objects = OBJECTS.count(objects);
    match proof {
        None => "Contents of objects were not read; --verify-contents does that.\n".to_owned(),
        Some(ContentProof::Length) => format!(
            "Read {objects}. Plain objects carry no checksum: changed bytes in them can not be found.\n"
        ),
        Some(ContentProof::Decompressed) => format!(
            "Read and decompressed {objects}. These carry no checksum: changed bytes that still decompress can not be found.\n"
        ),
        Some(ContentProof::Authenticated) => {
            format!("Read, decrypted and authenticated {objects}.\n")
        }
    }
}

fn as_json(report: &CheckReport, proof: Option<ContentProof>) -> Value {
    let counts = report.counts;
    let open: serde_json::Map<String, Value> = report
        .open
        .iter()
        .map(|(severity, count)| (severity.name().to_owned(), json!(count)))
        .collect();
    json!({
        "nodes": counts.nodes,
        "directories": counts.directories,
        "entries": counts.entries,
        "slices": counts.slices,
        "objects": counts.objects,
        "object_bytes": counts.object_bytes,
        "damaged_records": counts.damaged,
        "contents": contents_code(proof),
        "verified_objects": counts.verified_objects,
        "verified_bytes": counts.verified_bytes,
        "open": open,
        "repaired": report.repaired,
        "repairable": report.repairable,
        "findings": report.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    let repair = match &finding.repair {
        RepairState::Possible => "possible",
        RepairState::Done => "done",
        RepairState::Impossible => "impossible",
        RepairState::Failed(_) => "failed",
    };
    json!({
        "defect": finding.defect.code(),
        "severity": finding.severity.name(),
        "message": finding.message,
        "advice": finding.advice,
        "repair": repair,
    })
}

fn as_text(report: &CheckReport, proof: Option<ContentProof>) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let repairable = if finding.repair == RepairState::Possible {
            " [repairable]"
        } else {
            ""
        };
        text.push_str(&format!("{}{repairable}\n", output::plain(&finding.to_string())));
    }
    let counts = report.counts;
    if counts.damaged > 0 {
        text.push_str(&format!(
            "{} can not be read; what only {} could tell was not checked.\n",
            RECORDS.count(counts.damaged),
            agree(counts.damaged, "it", "they")
        ));
    }
    text.push_str(&format!(
        "Checked {}, {}, {}, {}: ",
        NODES.count(counts.nodes),
        ENTRIES.count(counts.entries),
        SLICES.count(counts.slices),
        OBJECTS.count(counts.objects)
    ));
    text.push_str(&match report.worst() {
        None if report.repaired == 0 => "nothing wrong was found.\n".to_owned(),
        None => format!(
            "{} {} repaired, nothing else was found.\n",
            FINDINGS.count(report.repaired),
            agree(report.repaired, "was", "were")
        ),
        Some(_) => {
            let open: u64 = report.open.values().sum();
            format!(
                "{} {} open, {} {} repaired.\n",
                FINDINGS.count(open),
                agree(open, "is", "are"),
                report.repaired,
                agree(report.repaired, "was", "were")
            )
        }
    });
    text.push_str(&contents_text(proof, counts.verified_objects));
    text
}
