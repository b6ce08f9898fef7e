//! pjdfstest as root on a real mount, without exceptions.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::table::Outcome;
use crate::volume::{self, Volume};
use crate::{run, tools};

const LIMIT: Duration = Duration::from_secs(600);

/// The nap is longer than the 100 ms in which parent times are batched (`--skip-dir-mtime`).
const CONFIGURATION: &str = "\
[features]
posix_fallocate = {}
rename_ctime = {}
utime_now = {}
utimensat = {}
[settings]
naptime = 0.15
allow_remount = false
[dummy_auth]
entries = [[\"nobody\", \"nogroup\"], [\"daemon\", \"daemon\"]]
";

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: POSIX tests need a real mount"));
    }
    let pjdfstest = tools::cargo_program("pjdfstest", "0.2.2")?;
    let mut volume = Volume::format(&["--trash-days", "0"])?;
    volume.mount(&["-o", "allow_other"])?;
    let configuration = volume.path().join("pjdfstest.toml");
    std::fs::write(&configuration, CONFIGURATION)?;
    let mut command = Command::new(pjdfstest);
    command
        .arg("-c")
        .arg(configuration)
        .arg("-p")
        .arg(volume.mount_point());
    let finished = run::finish(&mut command, LIMIT)?;
    let mut outcome = summary(&finished.output).context("pjdfstest printed no summary")?;
    if !finished.success && outcome.failed == 0 {
        outcome.failed = 1;
    }
    volume.unmount()?;
    volume.check("fsck", &[])?;
    Ok(outcome)
}

/// `Summary: 0 failed, 16 skipped, 382 passed, 0 expected failures, 398 total`
fn summary(output: &str) -> Option<Outcome> {
    let line = output
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("Summary: "))?;
    let count = |word: &str| {
        line.split(", ")
            .find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
            .unwrap_or(0)
    };
    Some(Outcome {
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("skipped"),
    })
}
