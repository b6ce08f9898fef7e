//! `kill -9` of the mount at random moments under load: nothing that was synced is missing, and the volume is clean.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::table::Outcome;
use crate::volume::{self, Volume, expect_success};

/// Kills in one run.
const ROUNDS: u64 = 200;
/// The whole volume is scanned after this many kills, and at the end.
const SCAN_EVERY: u64 = 20;
/// Writers that run when the kill comes.
const WRITERS: u64 = 3;
/// Longest life of a mount in milliseconds; the shortest is none.
const LONGEST_LIFE_MS: u64 = 250;
/// Longest wait for a mount to answer.
const MOUNT_WAIT: Duration = Duration::from_secs(20);
/// Files that one writer leaves at most: every round reads all of them again.
const MOST_FILES: usize = 40;
/// Largest file written, bytes.
const LARGEST_FILE: usize = 300_000;

/// What was acknowledged: file name to checksum of its content. `None` while a removal was under way.
type Manifest = BTreeMap<String, u64>;

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: crash tests need a real mount"));
    }
    let seed = std::env::var("MOORAGE_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    println!("crash: {ROUNDS} rounds, MOORAGE_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let volume = Volume::format(&["--trash-days", "0", "--block-size", "64K"])?;
    let mut manifest = Manifest::new();
    let mut outcome = Outcome::default();
    let mut synced = 0;
    for round in 0..ROUNDS {
        match one_round(&volume, &mut random, round, &mut manifest) {
            Ok(files) => {
                synced += files;
                outcome.passed += 1;
            }
            Err(error) => {
                println!("round {round}: {error:#}");
                outcome.failed += 1;
                break;
            }
        }
        if (round + 1) % SCAN_EVERY == 0 {
            volume
                .check("fsck", &[])
                .with_context(|| format!("after round {round}"))?;
        }
    }
    println!(
        "crash: {synced} files were synced, {} live at the end",
        manifest.len()
    );
    if synced == 0 {
        bail!("no file was ever synced: the run proves nothing");
    }
    leaks(&volume)?;
    Ok(outcome)
}

/// After `gc --delete` the store holds nothing that no file uses.
fn leaks(volume: &Volume) -> Result<()> {
    let mut collect = volume.command("gc")?;
    expect_success(
        collect
            .arg("--delete")
            .arg(volume.url())
            .env("JFS_GC_SKIPPEDTIME", "0"),
    )?;
    let report = expect_success(
        volume
            .command("gc")?
            .arg("--json")
            .arg(volume.url())
            .env("JFS_GC_SKIPPEDTIME", "0"),
    )?;
    let value: serde_json::Value = serde_json::from_str(&report).context("reading gc --json")?;
    println!("crash: gc says {value}");
    match value
        .pointer("/leaked/objects")
        .and_then(serde_json::Value::as_u64)
    {
        Some(0) => Ok(()),
        other => bail!("{other:?} leaked objects are left after gc --delete"),
    }
}

/// Mounts, verifies what earlier rounds synced, writes, kills; how many files were synced.
fn one_round(volume: &Volume, random: &mut StdRng, round: u64, manifest: &mut Manifest) -> Result<u64> {
    let point = volume.mount_point();
    let mut mount = start_mount(volume, &point)?;
    let verified = verify(&point, manifest);
    let life = Duration::from_millis(random.random_range(0..LONGEST_LIFE_MS));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (point, stop) = (point.clone(), Arc::clone(&stop));
            let seed = random.next_u64();
            let old: Vec<String> = manifest
                .keys()
                .filter(|name| name.starts_with(&format!("w{writer}-")))
                .cloned()
                .collect();
            std::thread::spawn(move || write_until_dead(&point, writer, round, seed, old, &stop))
        })
        .collect();
    std::thread::sleep(life);
    mount.kill().context("killing the mount")?;
    mount.wait()?;
    stop.store(true, Ordering::Relaxed);
    // The dead connection answers every caller, so the writers end by themselves.
    let mut synced = 0;
    for writer in writers {
        let done = writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?;
        for name in done.uncertain {
            manifest.remove(&name);
        }
        synced += done.synced.len() as u64;
        manifest.extend(done.synced);
    }
    // Only now: without the dead mount on top, a writer would go on in the folder below it.
    expect_success(Command::new("umount").arg("-l").arg(&point))?;
    verified?;
    Ok(synced)
}

fn start_mount(volume: &Volume, point: &Path) -> Result<Child> {
    let mut command = volume.command("mount")?;
    command
        .arg("--cache-dir")
        .arg(volume.path().join("cache"))
        .arg(volume.url())
        .arg(point);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(volume.path().join("mount.log"))?;
    let mut child = command
        .stdout(log.try_clone()?)
        .stderr(log)
        .stdin(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + MOUNT_WAIT;
    while !volume::is_mounted(point)? {
        if let Some(status) = child.try_wait()? {
            bail!(
                "the mount ended with {status}: {}",
                fs::read_to_string(volume.path().join("mount.log"))?
            );
        }
        if Instant::now() > deadline {
            child.kill()?;
            bail!("the mount did not come up");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(child)
}

/// Every file of the manifest has its content.
fn verify(point: &Path, manifest: &Manifest) -> Result<()> {
    for (name, want) in manifest {
        let mut content = Vec::new();
        File::open(point.join(name))
            .and_then(|mut file| file.read_to_end(&mut content))
            .with_context(|| format!("{name} was synced and can not be read"))?;
        if checksum(&content) != *want {
            bail!("{name} was synced and has other content: {} bytes", content.len());
        }
    }
    Ok(())
}

struct Written {
    synced: Manifest,
    /// Names whose last operation was not answered: either outcome is right.
    uncertain: Vec<String>,
}

/// Writes, renames and removes files until an operation fails, which is when the mount died.
fn write_until_dead(
    point: &Path,
    writer: u64,
    round: u64,
    seed: u64,
    mut old: Vec<String>,
    stop: &AtomicBool,
) -> Written {
    let mut random = StdRng::seed_from_u64(seed);
    let mut written = Written {
        synced: Manifest::new(),
        uncertain: Vec::new(),
    };
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if random.random_range(0..4) == 0 || old.len() >= MOST_FILES {
            let Some(name) = old.pop() else { continue };
            written.synced.remove(&name);
            // Once asked for, the removal may or may not have happened.
            written.uncertain.push(name.clone());
            if fs::remove_file(point.join(&name)).is_err() {
                break;
            }
            continue;
        }
        let name = format!("w{writer}-{round}-{number}");
        let mut content = vec![0; random.random_range(1..LARGEST_FILE)];
        random.fill_bytes(&mut content);
        if write_synced(point, &name, &content, random.random_range(0..2) == 0).is_err() {
            break;
        }
        written.synced.insert(name.clone(), checksum(&content));
        old.push(name);
    }
    written
}

fn write_synced(point: &Path, name: &str, content: &[u8], by_rename: bool) -> std::io::Result<()> {
    let target: PathBuf = point.join(name);
    let path = if by_rename {
        point.join(format!("{name}.part"))
    } else {
        target.clone()
    };
    let mut file = File::create(&path)?;
    for piece in content.chunks(content.len() / 3 + 1) {
        file.write_all(piece)?;
    }
    file.sync_all()?;
    if by_rename {
        fs::rename(&path, &target)?;
        File::open(point)?.sync_all()?;
    }
    Ok(())
}

/// FNV-1a: enough to tell random contents apart.
fn checksum(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
