//! What people install on Windows: an installer that asks, a package for administrators, and what winget needs of them.
//! Both hold the command, which is the agent and every mount as well; the window is not in them yet.

mod msi;
mod setup;
mod winget;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::linking::output_of;
use super::version::Version;
use super::{manifest, sbom};
use crate::licences::{Licences, Product};
use crate::{run, tools};

/// What is built for.
pub(crate) const TARGET: &str = "x86_64-pc-windows-gnu";
/// Compiles and links it.
pub(crate) const COMPILER: &str = "x86_64-w64-mingw32-gcc";
/// Takes out what only a debugger reads.
const STRIP: &str = "x86_64-w64-mingw32-strip";
/// Building every dependency for release, for another target, on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// The files that are installed, in a folder of their own; tools of other systems take plain names only.
#[derive(Debug)]
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    const PROGRAM: &str = "moorage.exe";
    const LICENCE: &str = "LICENSE.txt";
    const LICENCES: &str = "third-party-licences.txt";

    fn of(program: &Path) -> Result<Files> {
        let folder = tempfile::Builder::new().prefix("moorage-windows").tempdir()?;
        let place = |name: &str| folder.path().join(name);
        let mut strip = Command::new(STRIP);
        // The names of functions stay, for reports of crashes.
        strip
            .args(["--strip-debug", "-o"])
            .arg(place(Files::PROGRAM))
            .arg(program);
        output_of(&mut strip)?;
        fs::copy(run::repository().join("LICENSE"), place(Files::LICENCE))?;
        let licences = Licences::of(&[Product::CommandForWindows])?.plain();
        // Editors of Windows read these ends of lines everywhere.
        fs::write(place(Files::LICENCES), licences.replace('\n', "\r\n"))?;
        Ok(Files { folder })
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Arguments that tell a tool where they are, each behind this flag.
    fn named(flag: &str) -> [String; 3] {
        [
            format!("{flag}PROGRAM={}", Files::PROGRAM),
            format!("{flag}LICENCE={}", Files::LICENCE),
            format!("{flag}LICENCES={}", Files::LICENCES),
        ]
    }
}

/// The program of a release build.
///
/// # Errors
/// When it can not be built here.
pub(crate) fn release() -> Result<PathBuf> {
    tools::windows_packages()?;
    tools::rust_target(TARGET)?;
    let mut build = run::cargo(&["build", "--release", "--target", TARGET, "--package", "moorage"]);
    build
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", COMPILER)
        // Assembled already in the package; else an assembler would be needed.
        .env("AWS_LC_SYS_PREBUILT_NASM", "1");
    if !run::finish(&mut build, BUILD_LIMIT)?.success {
        bail!("the release build for Windows failed");
    }
    Ok(run::target_directory().join(TARGET).join("release/moorage.exe"))
}

/// Writes everything and the manifest into a folder; their paths, the manifest last.
///
/// # Errors
/// What a tool refuses.
pub(crate) fn make(program: &Path, output: &Path) -> Result<Vec<PathBuf>> {
    tools::installer_packages()?;
    let version = Version::of_repository()?;
    fs::create_dir_all(output).with_context(|| format!("making {}", output.display()))?;
    let output = output.canonicalize()?;
    let files = Files::of(program)?;
    let name = |ending: &str| output.join(format!("{}{ending}", base(&version)));
    let (setup, package) = (name("-setup.exe"), name(".msi"));
    setup::make(&files, &version, &setup)?;
    msi::make(&files, &version, &package)?;
    let mut made = vec![setup, package];
    made.extend(winget::make(&version, &made, &output)?);
    let parts = name(".cdx.json");
    fs::write(&parts, sbom::bytes(&[Product::CommandForWindows], &version)?)?;
    made.push(parts);
    let list = name(".json");
    fs::write(&list, manifest::bytes(&made, &version)?)?;
    made.push(list);
    Ok(made)
}

/// What the names of all files begin with.
fn base(version: &Version) -> String {
    format!("moorage-{}-windows-x86_64", file_version(version))
}

/// The version as names of files have it there.
fn file_version(version: &Version) -> String {
    version.text.replace('~', "-")
}

/// The version of what is released next or now, in three numbers.
fn numbers() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
