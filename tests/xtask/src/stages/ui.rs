//! The parts of the window: types, lint, layout of the source, the tests in a simulated page, and
//! each page on a mock agent in a real browser.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run;
use crate::table::Outcome;
use crate::tools;

/// Downloading the packages of the lock file.
const INSTALL_LIMIT: Duration = Duration::from_secs(120);
/// The slowest of the checks on two busy cores.
const CHECK_LIMIT: Duration = Duration::from_secs(120);

/// Scripts of `ui/package.json`, each one check.
const CHECKS: &[&str] = &["format:check", "lint", "check", "test", "build:mock"];

/// Script of `ui/package.json` that builds the pages into the program.
const BUILD: &str = "build";

/// It asks a task of ours for the licences, which may have to be built first.
const BUILD_LIMIT: Duration = Duration::from_secs(300);

/// Every page in every theme and language; a third of it on an idle machine.
const BROWSER_LIMIT: Duration = Duration::from_secs(600);

pub(crate) fn run() -> Result<Outcome> {
    if !has_npm()? {
        return Ok(Outcome::skip("no npm: the window needs Node 20.19 or later"));
    }
    if !install()? {
        return Ok(Outcome::check(false));
    }
    let mut outcome = Outcome::default();
    for check in CHECKS {
        let success = run::finish(&mut npm(&["run", "--silent", check]), CHECK_LIMIT)?.success;
        println!("{}: {check}", if success { "ok" } else { "FAILED" });
        outcome.passed += u64::from(success);
        outcome.failed += u64::from(!success);
    }
    tools::browser_packages()?;
    let mut browser = npm(&["run", "--silent", "browser"]);
    browser.env("MOORAGE_CHROMIUM", tools::CHROMIUM);
    let success = run::finish(&mut browser, BROWSER_LIMIT)?.success;
    println!("{}: browser", if success { "ok" } else { "FAILED" });
    outcome.passed += u64::from(success);
    outcome.failed += u64::from(!success);
    Ok(outcome)
}

/// Whether the window can be built here.
pub(super) fn has_npm() -> Result<bool> {
    let asked = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match asked {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("asking npm for its version"),
    }
}

/// Builds the pages that the program of the window holds; whether that worked.
pub(super) fn build_pages() -> Result<bool> {
    let installed = run::repository().join("ui/node_modules").exists() || install()?;
    Ok(installed && run::finish(&mut npm(&["run", "--silent", BUILD]), BUILD_LIMIT)?.success)
}

fn install() -> Result<bool> {
    let mut install = npm(&["ci", "--no-audit", "--no-fund"]);
    Ok(run::finish(&mut install, INSTALL_LIMIT)?.success)
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(run::repository().join("ui"));
    run::forget_package(&mut command);
    command
}
