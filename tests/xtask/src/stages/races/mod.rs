//! Two clients of one volume do at the same moment what excludes each other: one order of the two happened, the loser
//! hears why in POSIX's words, and nothing is left over. Two Moorage mounts, and a Moorage mount beside another client
//! of the format.

mod contests;
mod round;
mod step;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use moorage_servers::{Database, Durability, Kind};

use self::contests::CONTESTS;
use self::round::{Contest, Sides};
use crate::effort;
use crate::table::Outcome;
use crate::volume::{self, Volume};

/// Rounds of one contest: a hole of a few microseconds in an operation of a millisecond shows after a hundred.
const ROUNDS: u64 = 200;
/// Rounds at the same time, each in a folder of its own: most of a round is waiting for the database.
const LANES: u64 = 4;
/// Longest time of one contest, however slow the engine is.
const LIMIT: Duration = Duration::from_secs(3);
/// The variable with the path of another client that takes the same command line.
const PEER: &str = "MOORAGE_PEER";
/// Options of its mount. With a directory whose time is younger than its default, 100 ms, it does not touch the record
/// of the directory when it makes an entry, so that nothing could keep that directory from being removed.
const PEER_OPTIONS: [&str; 3] = ["--no-usage-report", "--skip-dir-mtime", "0"];

/// Who the second client is.
#[derive(Clone, Debug)]
enum Second {
    Moorage,
    Peer(PathBuf),
}

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: two clients need real mounts"));
    }
    let mut seconds = vec![Second::Moorage];
    let mut outcome = Outcome::default();
    match std::env::var_os(PEER) {
        Some(peer) => seconds.push(Second::Peer(peer.into())),
        None => outcome.add(&Outcome::skip(&format!(
            "no peer: {PEER} names no other client of the format, so Moorage races itself only"
        ))),
    }
    for kind in [&[Kind::Sqlite], &Kind::SERVERS[..]].concat() {
        let Some(database) = Database::start(kind, Durability::Second)? else {
            outcome.add(&Outcome::skip(&format!("no {kind}")));
            continue;
        };
        for second in &seconds {
            outcome.add(&Outcome::shown(compete(kind, &database, second)));
        }
    }
    Ok(outcome)
}

/// Runs every contest on a volume of its own.
fn compete(kind: Kind, database: &Database, second: &Second) -> Result<Outcome> {
    let mut volume = Volume::format_in(database, &["--trash-days", "0"])?;
    volume.mount(&[])?;
    let point = volume.second_mount_point();
    let name = match second {
        Second::Moorage => {
            volume.mount_at(point.clone(), &[])?;
            "Moorage"
        }
        Second::Peer(program) => {
            let log = volume.path().join("peer.log").display().to_string();
            volume.mount_by(
                program,
                point.clone(),
                &[&PEER_OPTIONS[..], &["--log", &log]].concat(),
            )?;
            "the peer"
        }
    };
    let mut outcome = Outcome::default();
    for (number, contest) in CONTESTS.iter().enumerate() {
        let folder = number.to_string();
        std::fs::create_dir(volume.mount_point().join(&folder))?;
        let sides = Sides {
            here: volume.mount_point().join(&folder),
            there: point.join(&folder),
            peer: matches!(second, Second::Peer(_)),
            kind,
        };
        let ran = repeat(contest, &sides);
        match &ran {
            Ok(rounds) => println!("ok: {kind}, {name}, {rounds} rounds: {}", contest.claim),
            Err(error) => println!("FAILED: {kind}, {name}: {}: {error:#}", contest.claim),
        }
        outcome.add(&Outcome::check(ran.is_ok()));
    }
    volume.unmount()?;
    volume
        .check("fsck", &[])
        .with_context(|| format!("{kind}, {name}"))?;
    Ok(outcome)
}

/// Repeats a contest; how often.
fn repeat(contest: &Contest, sides: &Sides) -> Result<u64> {
    let (started, rounds) = (Instant::now(), effort::rounds(ROUNDS));
    let next = AtomicU64::new(0);
    let lane = || {
        let mut done = 0;
        while started.elapsed() < LIMIT {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= rounds {
                break;
            }
            contest
                .round(sides, round)
                .with_context(|| format!("round {round}"))?;
            done += 1;
        }
        Ok(done)
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        let ended = lanes.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended
            .map(|lane| lane.unwrap_or_else(|_| bail!("a thread panicked")))
            .sum()
    })
}
