//! `kill -9` of the mount while files are written.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::aftermath::{self, Usage};
use super::mount::Mount;
use super::synced::{Manifest, Writers};
use crate::effort;
use crate::table::Outcome;
use crate::volume::Volume;

/// The whole volume is scanned after this many kills, and at the end.
const SCAN_EVERY: u64 = 20;
/// What the names of staging folders begin with.
const STAGING: &str = "staging-";
/// The file in each that is no block.
const STAGING_LOCK: &str = "lock";
/// Longest life of a mount in milliseconds; the shortest is none.
const LONGEST_LIFE_MS: u64 = 250;

/// Which mounts are killed, and what has to hold then.
pub(super) struct Plan {
    kills: u64,
    usage: Usage,
    writes_back: bool,
}

impl Plan {
    /// Of mounts whose blocks are in the store before they are acknowledged.
    pub(super) fn new(kills: u64, usage: Usage) -> Plan {
        Plan {
            kills,
            usage,
            writes_back: false,
        }
    }

    /// Of mounts that acknowledge blocks from their own disk.
    pub(super) fn writing_back(kills: u64) -> Plan {
        Plan {
            writes_back: true,
            ..Plan::new(kills, Usage::Exact)
        }
    }

    /// Options of the mounts.
    fn options(&self) -> &'static [&'static str] {
        if self.writes_back { &["--writeback"] } else { &[] }
    }

    /// Has what killed mounts left on the disk uploaded, so that the store can be looked at.
    fn settle(&self, volume: &Volume) -> Result<()> {
        if !self.writes_back {
            return Ok(());
        }
        Mount::start(volume, self.options())?.unmount(volume)?;
        match staged_files(&volume.cache())? {
            0 => Ok(()),
            left => bail!("{left} blocks are still staged after an orderly end"),
        }
    }
}

/// Kills the mount again and again while it is written to.
pub(super) fn kill(volume: &Volume, plan: &Plan, random: &mut StdRng) -> Result<Outcome> {
    let mut manifest = Manifest::default();
    let mut outcome = Outcome::default();
    let mut staged = 0;
    for round in 0..effort::rounds(plan.kills) {
        one_round(volume, plan, random, round, &mut manifest).with_context(|| format!("round {round}"))?;
        outcome.passed += 1;
        staged += staged_files(&volume.cache())?;
        if (round + 1) % SCAN_EVERY == 0 {
            plan.settle(volume)?;
            volume
                .check("fsck", &[])
                .with_context(|| format!("after round {round}"))?;
        }
    }
    if plan.writes_back {
        println!("crash: {staged} blocks were staged when their mount was killed");
        if staged == 0 {
            bail!("no block was staged: the run proves nothing about write-back");
        }
    }
    plan.settle(volume)?;
    aftermath::inspect(volume, &manifest, plan.usage)?;
    Ok(outcome)
}

/// Mounts, verifies what earlier rounds were answered, writes, kills.
fn one_round(
    volume: &Volume,
    plan: &Plan,
    random: &mut StdRng,
    round: u64,
    manifest: &mut Manifest,
) -> Result<()> {
    let mut mount = Mount::start(volume, plan.options())?;
    let point = volume.mount_point();
    let kept = manifest.verify(&point);
    let life = Duration::from_millis(random.random_range(0..LONGEST_LIFE_MS));
    let writers = Writers::start(&point, round, random, manifest);
    std::thread::sleep(life);
    mount.kill()?;
    // The dead connection answers every caller, so the writers end by themselves; what fails then is no finding.
    writers.end(manifest)?;
    // Only now: without the dead mount on top, a writer would go on in the folder below it.
    mount.take_down()?;
    kept
}

/// Blocks in the staging folders below a cache folder.
fn staged_files(cache: &Path) -> io::Result<u64> {
    let mut found = 0;
    for volume in entries(cache)? {
        for folder in entries(&volume.path())? {
            if folder.file_name().to_string_lossy().starts_with(STAGING) {
                let files = entries(&folder.path())?;
                found += files
                    .iter()
                    .filter(|file| file.file_name() != STAGING_LOCK)
                    .count() as u64;
            }
        }
    }
    Ok(found)
}

/// What is in a folder; nothing when it is not there.
fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}
