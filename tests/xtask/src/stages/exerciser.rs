//! fsx: random file operations against a memory copy, on real mounts of several kinds of volume.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::table::Outcome;
use crate::volume::{self, Volume};
use crate::{run, tools};

const LIMIT: Duration = Duration::from_secs(600);
const OPERATIONS: &str = "100000";

const CONFIGURATION: &str = "\
flen = 4194304
[opsize]
max = 262144
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

/// Options of `format`, options of `mount`, seed.
const MODES: &[(&[&str], &[&str], &str)] = &[
    (&[], &[], "7"),
    (&["--block-size", "64K"], &[], "11"),
    (
        &["--compress", "lz4", "--block-size", "64K"],
        &["--cache-size", "0"],
        "13",
    ),
    (&["--compress", "zstd"], &["--writeback"], "17"),
];

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: fsx needs a real mount"));
    }
    let fsx = tools::cargo_program("fsx", "0.3.2")?;
    let mut outcome = Outcome::default();
    for (format, mount, seed) in MODES {
        println!("fsx: format {format:?}, mount {mount:?}, seed {seed}");
        let mut volume = Volume::format(format)?;
        volume.mount(mount)?;
        let configuration = volume.path().join("fsx.toml");
        std::fs::write(&configuration, CONFIGURATION)?;
        let mut command = Command::new(&fsx);
        command
            .args(["-q", "-N", OPERATIONS, "-S", seed, "-f"])
            .arg(configuration);
        command
            .arg("-P")
            .arg(volume.path())
            .arg(volume.mount_point().join("fsx"));
        let finished = run::finish(&mut command, LIMIT)?;
        volume.unmount()?;
        let clean = volume.check("fsck", &[]);
        if let Err(error) = &clean {
            println!("{error:#}");
        }
        let success = finished.success && clean.is_ok();
        outcome.passed += u64::from(success);
        outcome.failed += u64::from(!success);
    }
    Ok(outcome)
}
