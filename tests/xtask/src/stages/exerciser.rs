//! fsx: random file operations against a memory copy, on real mounts of several kinds of volume.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use moorage_servers::{Database, Durability, Kind, Objects};

use crate::table::Outcome;
use crate::volume::{self, Volume};
use crate::{run, tools};

const LIMIT: Duration = Duration::from_secs(900);
/// Operations on a volume whose metadata is in a file.
const OPERATIONS: u64 = 100_000;
/// On one with a trash, which keeps every byte that was overwritten or compacted: 1.5 GB.
const OPERATIONS_WITH_TRASH: u64 = 20_000;
/// Where a server holds the metadata or the objects.
const OPERATIONS_BESIDE_A_SERVER: u64 = 20_000;
/// How long the store needs for an upload, so that most blocks are changed, read and removed before they are there.
const UPLOAD_TIME: Duration = Duration::from_millis(30);

/// Without the sizes, which each mode has of its own.
const WEIGHTS: &str = "\
[weights]
close_open = 1
invalidate = 1
truncate = 5
fsync = 1
fdatasync = 1
posix_fallocate = 1
punch_hole = 5
sendfile = 1
posix_fadvise = 1
copy_file_range = 3
";

struct Mode {
    format: &'static [&'static str],
    mount: &'static [&'static str],
    operations: u64,
    seed: &'static str,
    /// Longest file, bytes. Each compaction writes it anew.
    file: u64,
    /// Most bytes of one operation.
    largest: u64,
}

const MODES: &[Mode] = &[
    Mode {
        format: &["--trash-days", "0"],
        mount: &[],
        operations: OPERATIONS,
        seed: "7",
        file: 4 << 20,
        largest: 256 << 10,
    },
    Mode {
        format: &["--trash-days", "0", "--block-size", "64K"],
        mount: &[],
        operations: OPERATIONS,
        seed: "11",
        file: 512 << 10,
        largest: 80 << 10,
    },
    Mode {
        format: &["--trash-days", "0", "--compress", "lz4", "--block-size", "64K"],
        mount: &["--cache-size", "0"],
        operations: OPERATIONS,
        seed: "13",
        file: 512 << 10,
        largest: 80 << 10,
    },
    Mode {
        format: &["--trash-days", "0", "--compress", "zstd"],
        mount: &[],
        operations: OPERATIONS,
        seed: "17",
        file: 4 << 20,
        largest: 80 << 10,
    },
    Mode {
        format: &[],
        mount: &[],
        operations: OPERATIONS_WITH_TRASH,
        seed: "23",
        file: 1 << 20,
        largest: 80 << 10,
    },
];

/// Of every volume whose metadata is in a server.
const BESIDE_A_SERVER: Mode = Mode {
    format: &["--trash-days", "0"],
    mount: &[],
    operations: OPERATIONS_BESIDE_A_SERVER,
    seed: "19",
    file: 4 << 20,
    largest: 256 << 10,
};

/// Blocks wait on the disk of the mount for their store; one in a local folder would have them at once.
const WRITE_BACK: Mode = Mode {
    format: &["--trash-days", "0", "--compress", "zstd", "--block-size", "64K"],
    mount: &["--writeback"],
    operations: OPERATIONS_BESIDE_A_SERVER,
    seed: "29",
    file: 1 << 20,
    largest: 80 << 10,
};

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: fsx needs a real mount"));
    }
    let fsx = tools::cargo_program("fsx", "0.3.2")?;
    let mut outcome = Outcome::default();
    println!("fsx: written back to a store that needs {UPLOAD_TIME:?} for an upload");
    outcome.add(&Outcome::shown(exercise_write_back(&fsx)));
    for mode in MODES {
        let (format, mount, seed) = (mode.format, mode.mount, mode.seed);
        println!("fsx: format {format:?}, mount {mount:?}, seed {seed}");
        let volume = Volume::format(format)?;
        outcome.add(&exercise(&fsx, volume, mode)?);
    }
    for kind in Kind::SERVERS {
        let Some(database) = Database::start(kind, Durability::Second)? else {
            outcome.add(&Outcome::skip(&format!("no {kind}")));
            continue;
        };
        println!("fsx: metadata in {kind}");
        let volume = Volume::format_in(&database, BESIDE_A_SERVER.format)?;
        let exercised = exercise(&fsx, volume, &BESIDE_A_SERVER);
        outcome.add(&Outcome::shown(exercised));
    }
    Ok(outcome)
}

fn exercise(fsx: &Path, mut volume: Volume, mode: &Mode) -> Result<Outcome> {
    volume.mount(mode.mount)?;
    let passed = operate(fsx, &volume, mode)?;
    is_clean_after(&mut volume, passed)
}

fn exercise_write_back(fsx: &Path) -> Result<Outcome> {
    let objects = Objects::start()?;
    let mut volume = Volume::format_on(&objects, WRITE_BACK.format)?;
    volume.mount(WRITE_BACK.mount)?;
    objects.take_after(UPLOAD_TIME);
    let passed = operate(fsx, &volume, &WRITE_BACK)?;
    let staged = volume.staged_blocks()?;
    println!("fsx: {staged} blocks were staged");
    if staged == 0 {
        bail!("no block was staged: the run proves nothing about write-back");
    }
    is_clean_after(&mut volume, passed)
}

/// Runs fsx on a mounted volume; whether it found nothing.
fn operate(fsx: &Path, volume: &Volume, mode: &Mode) -> Result<bool> {
    let configuration = volume.path().join("fsx.toml");
    let Mode { file, largest, .. } = mode;
    std::fs::write(
        &configuration,
        format!("flen = {file}\n{WEIGHTS}[opsize]\nmax = {largest}\n"),
    )?;
    let mut command = Command::new(fsx);
    command
        .args(["-q", "-N", &mode.operations.to_string(), "-S", mode.seed, "-f"])
        .arg(configuration);
    command
        .arg("-P")
        .arg(volume.path())
        .arg(volume.mount_point().join("fsx"));
    Ok(run::finish(&mut command, LIMIT)?.success)
}

fn is_clean_after(volume: &mut Volume, passed: bool) -> Result<Outcome> {
    volume.unmount()?;
    let clean = volume.check("fsck", &[]);
    if let Err(error) = &clean {
        println!("{error:#}");
    }
    Ok(Outcome::check(passed && clean.is_ok()))
}
