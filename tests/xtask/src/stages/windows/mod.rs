//! Windows, as far as a machine without it can tell: lints for its target, and tests and the program under wine.

mod volumes;
mod wine;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::unit;
use crate::dist::windows::{COMPILER, TARGET};
use crate::table::Outcome;
use crate::{run, tools};
use wine::Wine;

/// Every dependency for another target, on two cores, and the tests.
const LIMIT: Duration = Duration::from_secs(1500);

/// Where in its package the library of the driver is.
const DRIVER_LIBRARY: &str = "winfsp/bin/winfsp-x64.dll";

/// The tests are small: optimising what they use takes longer than it saves.
const UNOPTIMISED: &str = "profile.dev.package.\"*\".opt-level=0";

/// Crates with code of their own for Windows, whose tests run under wine, and the one with the program.
const TESTED: &[&str] = &[
    "moorage-model",
    "moorage-chunk",
    "moorage-host",
    "moorage-control",
    "moorage-agent",
    "moorage-sync",
    "moorage-winfsp",
    "moorage",
];
/// Their integration tests for Windows; the last one runs the program, which is built for it.
const TESTS: &[&str] = &[
    "encrypted_file",
    "credential_manager",
    "socket",
    "driverless",
    "no_driver",
    "windows",
    "windows_mounts",
];

pub(crate) fn run() -> Result<Outcome> {
    if let Some(missing) = missing() {
        return Ok(Outcome::skip(&missing));
    }
    let wine = Wine::prepare(&tools::cache().join("windows"))?;
    wine.add_library(&driver_library()?)?;
    let tested = run::finish(&mut tests(&wine), LIMIT)?;
    let mut outcome = unit::outcome_of(&tested);
    let program = run::target_directory().join(TARGET).join("debug/moorage.exe");
    if program.exists() {
        outcome.add(&Outcome::shown(volumes::run(&wine, &program)));
    }
    Ok(outcome)
}

/// The library of the driver of file systems, which its crate carries.
fn driver_library() -> Result<PathBuf> {
    let mut ask = run::cargo(&["metadata", "--format-version", "1", "--filter-platform", TARGET]);
    let asked = run::capture(&mut ask, LIMIT)?;
    // It may say before what it downloads.
    let line = asked.output.lines().find(|line| line.starts_with('{'));
    let metadata: Value = serde_json::from_str(line.context("cargo metadata says nothing")?)?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let text = |package: &Value, what| package.get(what).and_then(Value::as_str).map(str::to_owned);
    let manifest = packages
        .into_iter()
        .flatten()
        .find(|package| text(package, "name").as_deref() == Some("winfsp-sys"))
        .and_then(|package| text(package, "manifest_path"))
        .context("winfsp-sys is not among the packages")?;
    Ok(Path::new(&manifest).with_file_name(DRIVER_LIBRARY))
}

/// What keeps this machine from building and running programs of Windows, when it can not be installed.
fn missing() -> Option<String> {
    if let Err(error) = tools::windows_packages() {
        return Some(format!("no compiler for Windows and no wine: {error:#}"));
    }
    if let Err(error) = tools::rust_target(TARGET) {
        return Some(format!("no standard library of Rust for {TARGET}: {error:#}"));
    }
    None
}

/// Builds what ships, with the compiler that has the lints of clippy in it, for which another build would take as long
/// again, and runs the tests under wine.
fn tests(wine: &Wine) -> Command {
    let mut cargo = run::cargo_with_lints(&["test", "--target", TARGET]);
    cargo.args(["--config", UNOPTIMISED]);
    for package in TESTED {
        cargo.args(["--package", package]);
    }
    cargo.args(["--no-fail-fast", "--lib"]);
    for name in TESTS {
        cargo.args(["--test", name]);
    }
    cargo.args(["--", "--show-output"]);
    wine.set_up(&mut cargo);
    cargo
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", "-Dwarnings")
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", COMPILER)
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", wine::PROGRAM)
        // Assembled already in the package; else an assembler would be needed.
        .env("AWS_LC_SYS_PREBUILT_NASM", "1")
        // Half of the time to link, and nobody debugs under wine.
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo
}
