//! Two mounts of one volume: close-to-open, exclusive creation, atomic renames and locks hold between them.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::table::Outcome;
use crate::volume::{self, Volume};

/// Files written by one client and read by the other.
const HAND_OVERS: u64 = 100;
/// Names both clients try to create.
const RACES: u64 = 200;
/// Replacements while the other client reads.
const REPLACEMENTS: u64 = 300;

/// A claim about the mounts, each given by a folder in it.
type Claim = (&'static str, fn(&Path, &Path) -> Result<()>);

const CLAIMS: &[Claim] = &[
    (
        "an open after the writer's close sees what was written",
        close_to_open,
    ),
    ("an exclusive create has one winner", exclusive_create),
    (
        "a replaced file is never absent and never torn, stale at most",
        atomic_replace,
    ),
    ("a lock held by one client excludes the other", locks),
];

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: two clients need real mounts"));
    }
    let mut volume = Volume::format(&["--block-size", "64K", "--trash-days", "0"])?;
    volume.mount(&[])?;
    let second = volume.second_mount_point();
    volume.mount_at(second.clone(), &[])?;
    let mut outcome = Outcome::default();
    for (index, (claim, check)) in CLAIMS.iter().enumerate() {
        let name = index.to_string();
        fs::create_dir(volume.mount_point().join(&name))?;
        let result = check(&volume.mount_point().join(&name), &second.join(&name));
        match &result {
            Ok(()) => println!("ok: {claim}"),
            Err(error) => println!("FAILED: {claim}: {error:#}"),
        }
        outcome.passed += u64::from(result.is_ok());
        outcome.failed += u64::from(result.is_err());
    }
    volume.unmount()?;
    volume.check("fsck", &[])?;
    Ok(outcome)
}

fn close_to_open(here: &Path, there: &Path) -> Result<()> {
    for round in 0..HAND_OVERS {
        let content = vec![round as u8; 1 + round as usize * 1777];
        let (writer, reader) = if round % 2 == 0 {
            (here, there)
        } else {
            (there, here)
        };
        // The same name again and again, so that a stale page or length would show.
        fs::write(writer.join("file"), &content)?;
        let seen = fs::read(reader.join("file"))?;
        if seen != content {
            bail!(
                "round {round}: {} bytes were written and {} other bytes seen",
                content.len(),
                seen.len()
            );
        }
    }
    Ok(())
}

fn exclusive_create(here: &Path, there: &Path) -> Result<()> {
    let wins = |folder: &Path| -> Result<Vec<u64>> {
        let mut won = Vec::new();
        for name in 0..RACES {
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(folder.join(name.to_string()))
            {
                Ok(_) => won.push(name),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).context(format!("creating {name}")),
            }
        }
        Ok(won)
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| wins(there));
        (
            wins(here),
            other.join().unwrap_or_else(|_| bail!("a thread panicked")),
        )
    });
    let mut all = [first?, second?].concat();
    all.sort_unstable();
    if all == (0..RACES).collect::<Vec<_>>() {
        Ok(())
    } else {
        bail!("winners: {all:?}")
    }
}

fn atomic_replace(here: &Path, there: &Path) -> Result<()> {
    let content = |version: u64| format!("{version}\n").repeat(5000);
    fs::write(here.join("target"), content(0))?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| -> Result<()> {
            let mut found = 0;
            while !done.load(Ordering::Relaxed) {
                let seen = match fs::read_to_string(there.join("target")) {
                    // Replaced between look-up and open, and again while the kernel looked the name up once more
                    // (docs/posix.md).
                    Err(error) if error.kind() == ErrorKind::StaleNetworkFileHandle => continue,
                    seen => seen.context("the target was not there")?,
                };
                found += 1;
                let version = seen
                    .lines()
                    .next()
                    .and_then(|line| line.parse().ok())
                    .unwrap_or_default();
                if seen != content(version) {
                    bail!("a torn version of {} bytes was read", seen.len());
                }
            }
            if found == 0 {
                bail!("the target was stale at every look");
            }
            Ok(())
        });
        let written = (1..=REPLACEMENTS).try_for_each(|version| {
            fs::write(here.join("new"), content(version))?;
            fs::rename(here.join("new"), here.join("target"))
        });
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap_or_else(|_| bail!("a thread panicked"))?;
        Ok(written?)
    })
}

fn locks(here: &Path, there: &Path) -> Result<()> {
    let file = File::create(here.join("locked"))?;
    let try_there = || -> Result<bool> {
        let mut flock = Command::new("flock");
        Ok(flock
            .arg("--nonblock")
            .arg(there.join("locked"))
            .arg("true")
            .status()?
            .success())
    };
    file.lock()?;
    if try_there()? {
        bail!("the second client got a lock that the first one holds");
    }
    file.unlock()?;
    if try_there()? {
        Ok(())
    } else {
        bail!("the lock was released and the second client did not get it")
    }
}
