//! What is in each package.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Programs;
use super::archive;
use super::linking::{self, Linked};
use super::tree::{DATA, PROGRAM, Tree};
use crate::licences::{Licences, Product};
use crate::run;

/// Who answers for the packages.
const MAINTAINER: &str = "The Moorage authors";

/// Each shell with the place of what completes its commands.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/moorage"),
    ("fish", "usr/share/fish/vendor_completions.d/moorage.fish"),
    ("zsh", "usr/share/zsh/site-functions/_moorage"),
];

/// A package in no format yet.
#[derive(Debug)]
pub(crate) struct Package {
    /// What it is installed by.
    pub(crate) name: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// More of them.
    pub(crate) description: &'static str,
    /// Who answers for it.
    pub(crate) maintainer: &'static str,
    /// Packages it can not do without, by a name that is the same in all systems.
    pub(crate) requires: &'static [&'static str],
    /// Packages that most people want with it.
    pub(crate) recommends: &'static [&'static str],
    /// A package of ours that it needs in the same version.
    pub(crate) same_version: Option<&'static str>,
    /// Shared libraries.
    pub(crate) linked: Linked,
    /// A script that runs after its removal.
    pub(crate) after_removal: Option<String>,
    /// Its files.
    pub(crate) tree: Tree,
}

/// The packages of these programs.
pub(crate) fn packages(programs: &Programs) -> Result<Vec<Package>> {
    let mut packages = vec![command(&programs.moorage)?];
    if let Some(program) = &programs.desktop {
        packages.push(desktop(program)?);
    }
    Ok(packages)
}

fn command(program: &Path) -> Result<Package> {
    let mut tree = Tree::default();
    tree.add("usr/bin/moorage", PROGRAM, linking::stripped(program)?);
    tree.add(
        "usr/lib/systemd/user/moorage-agent.service",
        DATA,
        installed("moorage-agent.service")?,
    );
    add_manual(&mut tree, program)?;
    for (shell, place) in COMPLETIONS {
        let script = linking::output_of(Command::new(program).args(["completion", shell]))?;
        tree.add(*place, DATA, script.into_bytes());
    }
    let changes = of_repository("CHANGELOG.md")?;
    tree.add(
        "usr/share/doc/moorage/changelog.gz",
        DATA,
        archive::compressed(&changes)?,
    );
    tree.add("usr/share/doc/moorage/copyright", DATA, of_repository("LICENSE")?);
    tree.add(
        "usr/share/doc/moorage/third-party-licences.gz",
        DATA,
        work_of_others(Product::Command)?,
    );
    Ok(Package {
        name: "moorage",
        summary: "file system whose bytes are in an object store",
        description: "Mounts volumes whose files lie as blocks in a folder, a bucket or a cloud, and their\n\
                      names in a database, in the format of JuiceFS.",
        maintainer: MAINTAINER,
        requires: &["fuse3"],
        recommends: &["ca-certificates"],
        same_version: None,
        linked: Linked::of(program)?,
        after_removal: Some(String::from_utf8(installed("after-removal.sh")?)?),
        tree,
    })
}

fn desktop(program: &Path) -> Result<Package> {
    let mut tree = Tree::default();
    tree.add("usr/bin/moorage-desktop", PROGRAM, linking::stripped(program)?);
    for (file, place) in [
        ("io.moorage.desktop.desktop", "usr/share/applications"),
        ("io.moorage.desktop.metainfo.xml", "usr/share/metainfo"),
    ] {
        tree.add(format!("{place}/{file}"), DATA, installed(file)?);
    }
    tree.add(
        "usr/share/icons/hicolor/64x64/apps/io.moorage.desktop.png",
        DATA,
        of_repository("src-tauri/icons/icon.png")?,
    );
    tree.add(
        "usr/share/doc/moorage-desktop/copyright",
        DATA,
        of_repository("LICENSE")?,
    );
    tree.add(
        "usr/share/doc/moorage-desktop/third-party-licences.gz",
        DATA,
        work_of_others(Product::Window)?,
    );
    Ok(Package {
        name: "moorage-desktop",
        summary: "window and tray of Moorage",
        description: "Shows the volumes that the agent of Moorage keeps mounted, and what exists only on this\n\
                      computer.",
        maintainer: MAINTAINER,
        requires: &[],
        recommends: &[],
        same_version: Some("moorage"),
        linked: Linked::of(program)?,
        after_removal: None,
        tree,
    })
}

/// The pages that the program writes of itself, compressed as `man` reads them.
fn add_manual(tree: &mut Tree, program: &Path) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("moorage-man").tempdir()?;
    linking::output_of(Command::new(program).arg("--quiet").arg("man").arg(folder.path()))?;
    for page in fs::read_dir(folder.path())? {
        let path = page?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.context("the name of a manual page is UTF-8")?;
        let page = archive::compressed(&fs::read(&path)?)?;
        tree.add(format!("usr/share/man/man1/{name}.gz"), DATA, page);
    }
    Ok(())
}

/// The terms of all that others wrote and that is in this product.
fn work_of_others(product: Product) -> Result<Vec<u8>> {
    archive::compressed(Licences::of(&[product])?.plain().as_bytes())
}

fn installed(name: &str) -> Result<Vec<u8>> {
    of_repository(&format!("installers/linux/{name}"))
}

fn of_repository(path: &str) -> Result<Vec<u8>> {
    let path = run::repository().join(path);
    fs::read(&path).with_context(|| format!("reading {}", path.display()))
}
