//! `kill -9` of the server that holds the metadata while files are written.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use moorage_servers::Database;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::FORMAT;
use super::aftermath::{self, Usage};
use super::mount::Mount;
use super::synced::{Manifest, Writers};
use crate::effort;
use crate::table::Outcome;
use crate::volume::Volume;

/// Kills of one server.
const KILLS: u64 = 6;
/// Longest time between the writers going on and the next end of the server, in milliseconds; the shortest is none.
const LONGEST_LIFE_MS: u64 = 500;

/// Kills the server under the writers, who wait for it and notice nothing; at the end, with nobody writing, it is killed
/// once more, and what it acknowledged is there.
pub(super) fn kill(database: &mut Database, random: &mut StdRng) -> Result<Outcome> {
    let volume = Volume::format_in(database, &FORMAT)?;
    let mut mount = Mount::start(&volume, &[])?;
    let mut manifest = Manifest::default();
    let kills = effort::rounds(KILLS);
    let writers = Writers::start(&volume.mount_point(), 0, random, &manifest);
    let worked = kill_under(&writers, database, kills, random);
    if worked.is_err() {
        // A mount that hangs would keep the writers from ending.
        mount.kill()?;
    }
    let failure = writers.end(&mut manifest)?;
    if worked.is_err() || failure.is_some() {
        println!("{}", Mount::log(&volume)?);
    }
    match (worked, failure) {
        (Ok(()), None) => {}
        (Ok(()), Some(error)) => bail!("an operation failed: {error}"),
        (Err(stuck), ended) => return Err(stuck.context(format!("the writers ended with {ended:?}"))),
    }
    manifest.verify(&volume.mount_point())?;
    mount.unmount(&volume)?;
    restart(database)?;
    let mount = Mount::start(&volume, &["--read-only"])?;
    manifest
        .verify(&volume.mount_point())
        .context("after the last kill")?;
    mount.unmount(&volume)?;
    aftermath::inspect(&volume, &manifest, Usage::Exact)?;
    Ok(Outcome {
        passed: kills + 1,
        ..Outcome::default()
    })
}

fn kill_under(writers: &Writers, database: &mut Database, kills: u64, random: &mut StdRng) -> Result<()> {
    for kill in 1..=kills {
        writers
            .wait_for_progress()
            .with_context(|| format!("before kill {kill}"))?;
        std::thread::sleep(Duration::from_millis(random.random_range(0..LONGEST_LIFE_MS)));
        restart(database)?;
    }
    writers.wait_for_progress().context("after the last kill")
}

fn restart(database: &mut Database) -> Result<()> {
    database.kill()?;
    database.start_again()
}
