//! What Moorage writes, judged by readers that were written from the format's specification alone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::table::Outcome;
use crate::volume::{self, Volume};
use crate::{run, tools};

const LIMIT: Duration = Duration::from_secs(300);

/// Options of `format`, and of the workload.
const VARIANTS: &[(&[&str], &[&str])] = &[
    (&["--block-size", "64K"], &[]),
    (
        &["--block-size", "64K", "--compress", "lz4"],
        &["--profile", "data"],
    ),
    (
        &["--block-size", "64K", "--compress", "zstd", "--hash-prefix"],
        &["--profile", "data"],
    ),
    (&["--block-size", "64K", "--enable-acl"], &["--acl"]),
];

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: the workload needs a real mount"));
    }
    let Some(fixtures) = tools::fixtures() else {
        return Ok(Outcome::skip(
            "no fixtures: set MOORAGE_SHARED to the folder that holds them",
        ));
    };
    let python = tools::python()?;
    let mut outcome = Outcome::default();
    for (format, workload) in VARIANTS {
        println!("interop: format {format:?}");
        let success = judge(&python, &fixtures, format, workload).unwrap_or_else(|error| {
            println!("{error:#}");
            false
        });
        outcome.passed += u64::from(success);
        outcome.failed += u64::from(!success);
    }
    Ok(outcome)
}

fn judge(python: &Path, fixtures: &Path, format: &[&str], workload: &[&str]) -> Result<bool> {
    let mut volume = Volume::format(format)?;
    volume.mount(&["--enable-xattr"])?;
    let script = |name: &str| {
        let mut command = Command::new(python);
        command.arg(fixtures.join(name));
        command
    };
    let worked = run::finish(
        script("workload.py").arg(volume.mount_point()).args(workload),
        LIMIT,
    )?
    .success;
    volume.unmount()?;
    volume.mount(&["--enable-xattr", "--read-only"])?;
    let walk = volume.path().join("walk.json");
    let walked = run::finish(
        script("walk_mount.py").arg(volume.mount_point()).arg(&walk),
        LIMIT,
    )?
    .success;
    volume.unmount()?;
    volume.check("fsck", &[])?;
    let mut judge = Command::new(python);
    judge
        .arg(run::repository().join("tests/interop/judge.py"))
        .arg(fixtures)
        .arg(volume.path())
        .arg(&walk);
    let judged = run::finish(&mut judge, LIMIT)?.success;
    Ok(worked && walked && judged)
}
