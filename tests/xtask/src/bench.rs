//! `cargo xtask bench`: release builds, then the benchmark itself.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::run;

/// Builds everything for release and runs the benchmark with the given contender and arguments.
pub(crate) fn run(against: Option<&Path>, rest: &[String]) -> Result<ExitCode> {
    let build = run::cargo(&[
        "build",
        "--release",
        "--package",
        "moorage",
        "--package",
        "moorage-bench",
    ])
    .status()?;
    if !build.success() {
        bail!("the release build failed");
    }
    let binaries = run::target_directory().join("release");
    let mut command = std::process::Command::new(binaries.join("moorage-bench"));
    command
        .arg("--moorage")
        .arg(binaries.join("moorage"))
        .arg("--nullfs")
        .arg(binaries.join("nullfs"));
    if let Some(against) = against {
        command.arg("--against").arg(against);
    }
    let status = command.args(rest).status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
