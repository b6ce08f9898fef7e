//! What a volume has to look like after all kills.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::synced::Manifest;
use crate::volume::{Volume, expect_success};

/// What has to be right of the numbers of used space and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// They equal a scan.
    Exact,
    /// A killed mount may have left its last second out.
    LateBySeconds,
}

/// The volume is clean, its numbers are right, and the store holds nothing that no file uses.
pub(super) fn inspect(volume: &Volume, manifest: &Manifest, usage: Usage) -> Result<()> {
    let (synced, live) = (manifest.synced, manifest.live());
    println!("crash: {synced} files were synced, {live} live at the end");
    if synced == 0 {
        bail!("no file was ever synced: the run proves nothing");
    }
    // What is wrong beyond such numbers ends with an error.
    let report = report(volume, "fsck")?;
    let drifted = findings(&report).find(|finding| text(finding, "/defect") == "usage-counter");
    if let (Usage::Exact, Some(finding)) = (usage, drifted) {
        bail!("{}", text(finding, "/message"));
    }
    collect(volume)
}

/// After `gc --delete` the store holds nothing that no file uses.
fn collect(volume: &Volume) -> Result<()> {
    let mut delete = volume.command("gc")?;
    expect_success(
        delete
            .arg("--delete")
            .arg(volume.url())
            .env("JFS_GC_SKIPPEDTIME", "0"),
    )?;
    let report = report(volume, "gc")?;
    println!("crash: gc says {report}");
    match report.pointer("/leaked/objects").and_then(Value::as_u64) {
        Some(0) => Ok(()),
        other => bail!("{other:?} leaked objects are left after gc --delete"),
    }
}

fn report(volume: &Volume, verb: &str) -> Result<Value> {
    let mut command = volume.command(verb)?;
    command
        .arg("--json")
        .arg(volume.url())
        .env("JFS_GC_SKIPPEDTIME", "0");
    serde_json::from_str(&expect_success(&mut command)?).with_context(|| format!("reading {verb} --json"))
}

fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report
        .pointer("/findings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
