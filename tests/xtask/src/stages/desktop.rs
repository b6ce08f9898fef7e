//! The tray and the window: their tests, and what a person does with them on a display of its own, with a real agent and a
//! real mount.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{lint, ui};
use crate::run;
use crate::table::Outcome;
use crate::tools;
use crate::volume;

/// Building five hundred crates of a web view's bindings on two busy cores; without a change it takes a second.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// The walk takes two minutes on a busy machine.
const WALK_LIMIT: Duration = Duration::from_secs(240);
/// What ending the display takes.
const LEAVING: Duration = Duration::from_secs(10);

pub(crate) fn run() -> Result<Outcome> {
    if !ui::has_npm()? {
        return Ok(Outcome::skip("no npm: the pages of the window can not be built"));
    }
    tools::desktop_packages()?;
    if !ui::build_pages()? {
        return Ok(Outcome::check(false));
    }
    let mut outcome = Outcome::default();
    let mut count = |name: &str, success: bool| {
        println!("{}: {name}", if success { "ok" } else { "FAILED" });
        outcome.passed += u64::from(success);
        outcome.failed += u64::from(!success);
    };
    // One set of features for all: another one is another build.
    for (name, arguments) in [
        ("format", &["fmt", "--check"][..]),
        ("clippy", &["test", "--all-targets", "--no-run"]),
        ("tests", &["test", "--quiet"]),
        ("build", &["build", "--quiet"]),
    ] {
        let done = run::finish(&mut desktop(arguments), BUILD_LIMIT)?;
        count(name, done.success && !lint::warns(&done.output));
    }
    if outcome.failed > 0 {
        return Ok(outcome);
    }
    if !volume::can_mount() {
        println!("SKIPPED: walk: no /dev/fuse");
        outcome.skipped += 1;
        return Ok(outcome);
    }
    let walked = walk()?;
    println!("{}: walk", if walked { "ok" } else { "FAILED" });
    outcome.passed += u64::from(walked);
    outcome.failed += u64::from(!walked);
    Ok(outcome)
}

/// A command of cargo on the program, which is a workspace of its own, with the lints in the compiler.
fn desktop(arguments: &[&str]) -> Command {
    let mut command = run::cargo_with_lints(arguments);
    command
        .current_dir(run::repository().join("src-tauri"))
        .env("CARGO_TARGET_DIR", target());
    command
}

fn target() -> PathBuf {
    run::target_directory().join("desktop")
}

fn program() -> PathBuf {
    target().join("debug/moorage-desktop")
}

/// The program, when this stage built it.
pub(super) fn built() -> Option<PathBuf> {
    Some(program()).filter(|program| program.exists())
}

fn walk() -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("moorage-desktop").tempdir()?;
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs)?;
    // The program finds the command beside itself, as after an installation.
    let moorage = placed(volume::binary()?, &programs.join("moorage"))?;
    let program = placed(&program(), &programs.join("moorage-desktop"))?;
    on_a_display(folder.path(), "walk.py", &[&program, &moorage])
}

/// The window that the installed packages bring, from its entry in the menu to a mounted demo volume.
pub(super) fn walk_through_installed() -> Result<bool> {
    tools::desktop_packages()?;
    let folder = tempfile::Builder::new().prefix("moorage-desktop").tempdir()?;
    on_a_display(folder.path(), "installed.py", &[])
}

/// Runs a script with these programs, and a folder for screenshots, on a display whose home is in `folder`.
fn on_a_display(folder: &Path, script: &str, programs: &[&Path]) -> Result<bool> {
    let sources = run::repository().join("tests/desktop");
    let pictures = target().join("pictures");
    std::fs::create_dir_all(&pictures).with_context(|| format!("making {}", pictures.display()))?;
    // It ends the display and all that runs on it, which this stage does not know.
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", &WALK_LIMIT.as_secs().to_string()])
        .arg(sources.join("session.sh"))
        .arg(folder)
        .arg(tools::python()?)
        .arg(sources.join(script))
        .args(programs)
        .arg(&pictures)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(fixtures) = tools::fixtures() {
        command.env("MOORAGE_FIXTURE", fixtures.join("volumes/default4m"));
    }
    let success = run::finish(&mut command, WALK_LIMIT + LEAVING)?.success;
    println!("screenshots: {}", pictures.display());
    if volume::is_mounted(&folder.join("home/Moorage Demo"))? {
        bail!("the demo volume is still mounted");
    }
    Ok(success)
}

/// A file in another folder. It is no symbolic link, since a program is where that leads to.
fn placed(file: &Path, place: &Path) -> Result<PathBuf> {
    if std::fs::hard_link(file, place).is_err() {
        std::fs::copy(file, place).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(place.to_owned())
}
