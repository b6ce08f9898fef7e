//! What people install: packages of the release build are made, looked at with the tools of their systems, installed, used and
//! removed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::desktop;
use super::first_use::{self, ORDINARY_USER};
use crate::dist::{self, Programs};
use crate::run;
use crate::table::Outcome;
use crate::tools;
use crate::volume::{self, expect_success};

/// Checking a file, or unpacking it into the system.
const LIMIT: Duration = Duration::from_secs(120);
/// Where the packages put the command.
const INSTALLED: &str = "/usr/bin/moorage";
/// The unit of the agent.
const UNIT: &str = "/usr/lib/systemd/user/moorage-agent.service";
/// What a removal has to say.
const PROMISE: &str = "What it keeps for users stays";

pub(crate) fn run() -> Result<Outcome> {
    if !Path::new("/usr/bin/dpkg").exists() {
        return Ok(Outcome::skip(
            "no dpkg: the packages are installed on Debian or Ubuntu",
        ));
    }
    tools::package_tools()?;
    let programs = Programs {
        moorage: volume::binary()?.to_owned(),
        desktop: desktop::built(),
    };
    let folder = tempfile::Builder::new().prefix("moorage-packages").tempdir()?;
    // apt reads packages as a user of its own.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (made, again) = std::thread::scope(|scope| {
        let again = scope.spawn(|| dist::make(&programs, &second));
        (dist::make(&programs, &first), again.join())
    });
    let made = made?;
    let again = again.map_err(|_| anyhow::anyhow!("making the packages again panicked"))??;

    let mut outcome = Outcome::default();
    outcome.add(&said(
        "the same input gives the same bytes",
        &same_bytes(&made, &again),
    ));
    outcome.add(&said(
        "the tools of both systems read the packages",
        &readable(&made),
    ));
    outcome.add(&said("the desktop's files are valid", &valid_for_desktops()));
    outcome.add(&installation(&made, programs.desktop.is_some())?);
    Ok(outcome)
}

fn said(claim: &str, result: &Result<()>) -> Outcome {
    match result {
        Ok(()) => println!("ok: {claim}"),
        Err(error) => println!("FAILED: {claim}: {error:#}"),
    }
    Outcome::check(result.is_ok())
}

fn same_bytes(first: &[PathBuf], second: &[PathBuf]) -> Result<()> {
    if first.len() != second.len() {
        bail!("{} files, then {}", first.len(), second.len());
    }
    for (one, other) in first.iter().zip(second) {
        if one.file_name() != other.file_name() || fs::read(one)? != fs::read(other)? {
            bail!("{} and {} differ", one.display(), other.display());
        }
    }
    Ok(())
}

fn with_extension<'a>(files: &'a [PathBuf], extension: &'a str) -> impl Iterator<Item = &'a PathBuf> {
    files
        .iter()
        .filter(move |file| file.extension().is_some_and(|found| found == extension))
}

fn readable(files: &[PathBuf]) -> Result<()> {
    for package in with_extension(files, "deb") {
        expect_success(Command::new("dpkg-deb").arg("--info").arg(package))?;
        let list = expect_success(Command::new("dpkg-deb").arg("--contents").arg(package))?;
        has_program(&list)?;
    }
    for package in with_extension(files, "rpm") {
        // They are not signed.
        let checksums = ["--checksig", "--nosignature"];
        expect_success(Command::new("rpm").args(checksums).arg(package))?;
        let list = expect_success(
            Command::new("rpm")
                .args(["--query", "--list", "--package"])
                .arg(package),
        )?;
        has_program(&list)?;
    }
    Ok(())
}

fn has_program(list: &str) -> Result<()> {
    if !list.contains("usr/bin/moorage") {
        bail!("there is no program in {list}");
    }
    Ok(())
}

fn valid_for_desktops() -> Result<()> {
    let sources = run::repository().join("installers/linux");
    expect_success(Command::new("desktop-file-validate").arg(sources.join("io.moorage.desktop.desktop")))?;
    expect_success(
        Command::new("appstreamcli")
            .args(["validate", "--no-net"])
            .arg(sources.join("io.moorage.desktop.metainfo.xml")),
    )?;
    Ok(())
}

/// Installs the packages for as long as this value lives.
struct Installation {
    names: Vec<String>,
}

impl Installation {
    fn of(packages: &[&PathBuf]) -> Result<Installation> {
        let mut names = Vec::new();
        for package in packages {
            let field = expect_success(
                Command::new("dpkg-deb")
                    .arg("--field")
                    .arg(package)
                    .arg("Package"),
            )?;
            names.push(field.trim().to_owned());
        }
        // Removed also when it stops half-way.
        let installation = Installation { names };
        let mut install = apt(&["install", "--no-install-recommends"]);
        install.args(packages);
        if !run::finish(&mut install, LIMIT)?.success {
            bail!("apt-get can not install the packages");
        }
        Ok(installation)
    }

    /// What the removal printed.
    fn remove(mut self) -> Result<String> {
        let removed = run::finish(apt(&["remove"]).args(&self.names), LIMIT)?;
        if !removed.success {
            bail!("apt-get can not remove {}", self.names.join(", "));
        }
        // What dpkg remembers of a removed package.
        expect_success(Command::new("dpkg").arg("--purge").args(&self.names))?;
        self.names.clear();
        Ok(removed.output)
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        if let Err(error) = run::finish(apt(&["purge"]).args(&self.names), LIMIT) {
            println!("{} may still be installed: {error:#}", self.names.join(", "));
        }
    }
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = tools::apt();
    command.args(arguments).args(["--yes", "--quiet"]);
    command
}

fn installation(made: &[PathBuf], with_window: bool) -> Result<Outcome> {
    if Path::new(INSTALLED).exists() {
        return Ok(Outcome::skip("a moorage is installed here, which stays as it is"));
    }
    if !rustix::process::geteuid().is_root() {
        return Ok(Outcome::skip("only root may install packages"));
    }
    let packages: Vec<&PathBuf> = with_extension(made, "deb").collect();
    let installed = Installation::of(&packages)?;
    let mut outcome = said("the installed command and its unit run", &installed_files_work());

    let home = tempfile::Builder::new().prefix("moorage-home").tempdir()?;
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    chown(home.path(), Some(ORDINARY_USER), Some(ORDINARY_USER))?;
    if volume::can_mount() {
        let used = first_use::open_device()
            .and_then(|()| first_use::quickstart_twice(ORDINARY_USER, home.path(), Path::new(INSTALLED)));
        outcome.add(&said("a user keeps files with the installed command", &used));
    } else {
        outcome.add(&Outcome::skip(
            "no /dev/fuse: the installed command mounts nothing",
        ));
    }
    if with_window && volume::can_mount() {
        let walked = desktop::walk_through_installed()
            .and_then(|success| success.then_some(()).context("its output says where it stopped"));
        let claim = "the window opens from the menu and mounts a demo volume with one press";
        outcome.add(&said(claim, &walked));
    } else {
        outcome.add(&Outcome::skip("no window was built, or no /dev/fuse"));
    }
    let before = files_below(home.path())?;
    let removed = installed.remove()?;
    let stays = files_stay(home.path(), &before, &removed);
    outcome.add(&said(
        "removing the packages leaves what users have, and says so",
        &stays,
    ));
    Ok(outcome)
}

fn installed_files_work() -> Result<()> {
    let version = expect_success(Command::new(INSTALLED).arg("version"))?;
    if !version.contains(env!("CARGO_PKG_VERSION")) {
        bail!("it says {version:?}");
    }
    if Path::new("/usr/bin/systemd-analyze").exists() {
        // It looks for a session, which nobody has who runs tests as a service.
        let session = tempfile::Builder::new().prefix("moorage-session").tempdir()?;
        expect_success(
            Command::new("systemd-analyze")
                .args(["verify", "--user", "--man=no", UNIT])
                .env("XDG_RUNTIME_DIR", session.path()),
        )?;
    }
    Ok(())
}

fn files_below(folder: &Path) -> Result<String> {
    expect_success(
        Command::new("find")
            .arg(folder)
            .args(["-type", "f", "-printf", "%P %s\\n"]),
    )
}

fn files_stay(home: &Path, before: &str, removal: &str) -> Result<()> {
    if Path::new(INSTALLED).exists() {
        bail!("{INSTALLED} is still there");
    }
    if files_below(home)? != before {
        bail!("the files of a user changed: they were {before}");
    }
    removal
        .contains(PROMISE)
        .then_some(())
        .with_context(|| format!("the removal does not say {PROMISE:?}: {removal}"))
}
