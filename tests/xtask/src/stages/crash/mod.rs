//! `kill -9` of the mount, and of the server that holds its metadata, at random moments under load: nothing that was
//! acknowledged is missing, and the volume is clean.

mod aftermath;
mod mount;
mod mounts;
mod servers;
mod synced;

use std::time::Duration;

use anyhow::Result;
use moorage_servers::{Database, Durability, Kind, Objects};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::aftermath::Usage;
use self::mounts::Plan;
use crate::effort;
use crate::table::Outcome;
use crate::volume::{self, Volume};

/// Kills of the mount of a volume whose metadata is in a file.
const KILLS: u64 = 200;
/// The same where a server holds it: the mount is the same, so these look at the engine alone.
const KILLS_WITH_A_SERVER: u64 = 30;
/// The same of a mount that writes back: these look at what it finds on its disk when it begins again.
const KILLS_WITH_WRITE_BACK: u64 = 40;
/// How long the store needs for an upload, so that every mount dies with some of them ahead.
const UPLOAD_TIME: Duration = Duration::from_millis(100);
/// Options of `format`: what is removed goes at once, so that leaks show, and files have several blocks.
const FORMAT: [&str; 4] = ["--trash-days", "0", "--block-size", "64K"];

/// Kills the mount of a volume whose metadata is in a file, with its objects in a server to which they are written back,
/// and with them in a folder.
pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: crash tests need a real mount"));
    }
    let mut random = randomness();
    println!("crash: written back to a store that needs {UPLOAD_TIME:?} for an upload");
    let mut outcome = Outcome::shown(kill_write_back(&mut random));
    let volume = Volume::format(&FORMAT)?;
    let plan = Plan::new(KILLS, Usage::Exact);
    outcome.add(&mounts::kill(&volume, &plan, &mut random)?);
    Ok(outcome)
}

fn kill_write_back(random: &mut StdRng) -> Result<Outcome> {
    let objects = Objects::start()?;
    let volume = Volume::format_on(&objects, &FORMAT)?;
    objects.take_after(UPLOAD_TIME);
    mounts::kill(&volume, &Plan::writing_back(KILLS_WITH_WRITE_BACK), random)
}

/// Kills mounts beside each server, and each server.
pub(crate) fn run_with_servers() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: crash tests need a real mount"));
    }
    let mut random = randomness();
    let mut outcome = Outcome::default();
    for kind in Kind::SERVERS {
        let Some(mut database) = Database::start(kind, Durability::Always)? else {
            outcome.add(&Outcome::skip(&format!("no {kind}")));
            continue;
        };
        println!("crash: the mount, with the metadata in {kind}");
        let volume = Volume::format_in(&database, &FORMAT)?;
        let plan = Plan::new(KILLS_WITH_A_SERVER, usage(kind));
        let killed = mounts::kill(&volume, &plan, &mut random);
        outcome.add(&Outcome::shown(killed));
        println!("crash: {kind} itself");
        outcome.add(&Outcome::shown(servers::kill(&mut database, &mut random)));
    }
    Ok(outcome)
}

/// What the death of a mount does to the numbers of used space and files: SQL servers are told once a second.
fn usage(kind: Kind) -> Usage {
    match kind {
        Kind::Sqlite | Kind::Redis => Usage::Exact,
        Kind::Mysql | Kind::Postgres => Usage::LateBySeconds,
    }
}

fn randomness() -> StdRng {
    let seed = effort::seed();
    println!("crash: MOORAGE_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
