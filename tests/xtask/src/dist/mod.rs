//! `cargo xtask dist`: what people install. For Linux one list of files becomes a package of Debian, one of RPM and an
//! archive; the same programs and the same commit give the same bytes. For Windows see [`windows`].

mod archive;
mod contents;
mod deb;
mod linking;
mod manifest;
mod rpm;
mod sbom;
mod tree;
mod version;
pub(crate) mod windows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::licences::Product;
use crate::run;
use crate::volume;
use version::Version;

/// Building the window for release with link-time optimisation on two cores.
const DESKTOP_LIMIT: Duration = Duration::from_secs(2400);

/// What is packaged, and where it goes.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `moorage`, built for release.
    pub(crate) moorage: PathBuf,
    /// `moorage-desktop`; without it there is no package of the window.
    pub(crate) desktop: Option<PathBuf>,
}

/// A system that is packaged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum System {
    /// deb, rpm and tar.gz.
    Linux,
    /// setup.exe, msi and the files of winget.
    Windows,
}

/// The task of the command line for Windows: of this program, or of one that is built for release now.
pub(crate) fn run_for_windows(output: Option<PathBuf>, program: Option<PathBuf>) -> Result<ExitCode> {
    let output = output.unwrap_or_else(|| run::target_directory().join("dist"));
    let program = program.map_or_else(windows::release, Ok)?;
    for file in windows::make(&program, &output)? {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The task of the command line for Linux.
pub(crate) fn run(output: Option<PathBuf>, desktop: bool, built: Option<PathBuf>) -> Result<ExitCode> {
    let programs = Programs {
        moorage: volume::binary()?.to_owned(),
        desktop: if desktop {
            Some(release_of_desktop()?)
        } else {
            built
        },
    };
    let output = output.unwrap_or_else(|| run::target_directory().join("dist"));
    for file in make(&programs, &output)? {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes all packages and the manifest into a folder; their paths, the manifest last.
pub(crate) fn make(programs: &Programs, output: &Path) -> Result<Vec<PathBuf>> {
    let version = Version::of_repository()?;
    let packages = contents::packages(programs)?;
    fs::create_dir_all(output).with_context(|| format!("making {}", output.display()))?;
    let mut files = Vec::new();
    let mut keep = |name: String, bytes: &[u8]| -> Result<()> {
        let path = output.join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        files.push(path);
        Ok(())
    };
    for package in &packages {
        keep(deb::name(package, &version)?, &deb::bytes(package, &version)?)?;
        keep(rpm::name(package, &version), &rpm::bytes(package, &version)?)?;
    }
    keep(archive::name(&version), &archive::bytes(&packages, &version)?)?;
    let products: &[Product] = match programs.desktop {
        Some(_) => &[Product::Command, Product::Window],
        None => &[Product::Command],
    };
    keep(
        format!("moorage-{}.cdx.json", version.text),
        &sbom::bytes(products, &version)?,
    )?;
    let manifest = manifest::bytes(&files, &version)?;
    let path = output.join(manifest::name(&version));
    fs::write(&path, manifest).with_context(|| format!("writing {}", path.display()))?;
    files.push(path);
    Ok(files)
}

fn release_of_desktop() -> Result<PathBuf> {
    let pages = run::repository().join("ui/dist/app/index.html");
    if !pages.exists() {
        bail!("the pages of the window are not built: run `npm ci && npm run build` in ui first");
    }
    let target = run::target_directory().join("desktop");
    let mut build = run::cargo(&["build", "--release"]);
    build
        .current_dir(run::repository().join("src-tauri"))
        .env("CARGO_TARGET_DIR", &target);
    if !run::finish(&mut build, DESKTOP_LIMIT)?.success {
        bail!("the release build of the window failed");
    }
    Ok(target.join("release/moorage-desktop"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::contents::Package;
    use super::linking::Linked;
    use super::tree::{DATA, PROGRAM, Tree};
    use super::version::Version;
    use super::{archive, deb, rpm};

    const COMPLETION: &str = "usr/share/zsh/site-functions/_moorage";

    fn version() -> Version {
        Version {
            text: "1.2.3~4".to_owned(),
            commit: None,
            seconds: 1_700_000_000,
        }
    }

    fn package(files: Vec<(&'static str, u16, &'static str)>) -> Package {
        let mut tree = Tree::default();
        for (path, mode, content) in files {
            tree.add(path, mode, content.into());
        }
        Package {
            name: "moorage",
            summary: "short",
            description: "longer\nthan that",
            maintainer: "Somebody",
            requires: &["fuse3"],
            recommends: &[],
            same_version: None,
            linked: Linked {
                libraries: vec!["libc.so.6".to_owned(), "libgcc_s.so.1".to_owned()],
                c_library: "2.34".to_owned(),
            },
            after_removal: Some("exit 0".to_owned()),
            tree,
        }
    }

    fn files() -> Vec<(&'static str, u16, &'static str)> {
        vec![
            ("usr/bin/moorage", PROGRAM, "program"),
            ("usr/share/doc/moorage/copyright", DATA, "licence"),
            (COMPLETION, DATA, "complete"),
        ]
    }

    /// Names of the members of a deb with the unpacked bytes of those that are archives.
    fn members(deb: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = ar::Archive::new(deb);
        let mut members = Vec::new();
        while let Some(entry) = archive.next_entry() {
            let mut entry = entry.expect("a member");
            let name = String::from_utf8(entry.header().identifier().to_vec()).expect("UTF-8");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a whole member");
            members.push((name, bytes));
        }
        members
    }

    fn unpacked(tar_gz: &[u8]) -> Vec<(String, u32, String)> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(tar_gz));
        let entries = archive.entries().expect("an archive");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let path = entry.path().expect("a path").display().to_string();
                let header = entry.header();
                assert_eq!(header.mtime().expect("a time"), 1_700_000_000);
                assert_eq!(header.uid().expect("an owner"), 0);
                let mode = header.mode().expect("a mode");
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("text");
                (path, mode, text)
            })
            .filter(|(path, ..)| !path.ends_with('/'))
            .collect()
    }

    #[test]
    fn the_same_files_in_any_order_give_the_same_bytes() {
        let (one, other) = (package(files()), package(files().into_iter().rev().collect()));
        let version = version();
        assert!(deb::bytes(&one, &version).unwrap() == deb::bytes(&other, &version).unwrap());
        assert!(rpm::bytes(&one, &version).unwrap() == rpm::bytes(&other, &version).unwrap());
        assert!(archive::bytes(&[one], &version).unwrap() == archive::bytes(&[other], &version).unwrap());
    }

    #[test]
    fn a_deb_has_its_three_members_and_says_what_it_needs() {
        let deb = deb::bytes(&package(files()), &version()).unwrap();
        let members = members(&deb);
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["debian-binary", "control.tar.gz", "data.tar.gz"]);
        let about = unpacked(&members[1].1);
        let control = &about.iter().find(|(path, ..)| path == "control").unwrap().2;
        assert!(control.contains("Version: 1.2.3~4\n"), "{control}");
        assert!(
            control.contains("Depends: libc6 (>= 2.34), libgcc-s1, fuse3\n"),
            "{control}"
        );
        assert!(
            control.ends_with("Description: short\n longer\n than that\n"),
            "{control}"
        );
        let data = unpacked(&members[2].1);
        assert!(data.contains(&("usr/bin/moorage".to_owned(), 0o755, "program".to_owned())));
        let completion = data.iter().find(|(path, ..)| path.ends_with("_moorage")).unwrap();
        assert_eq!(completion.0, "usr/share/zsh/vendor-completions/_moorage");
    }

    #[test]
    fn a_library_that_no_known_package_has_is_an_error() {
        let mut package = package(files());
        package.linked.libraries.push("libstrange.so.1".to_owned());
        let error = deb::bytes(&package, &version()).unwrap_err();
        assert!(error.to_string().contains("libstrange.so.1"), "{error:#}");
    }

    #[test]
    fn an_rpm_holds_the_same_files_and_needs_the_same() {
        let bytes = rpm::bytes(&package(files()), &version()).unwrap();
        let read = ::rpm::Package::parse(&mut bytes.as_slice()).unwrap();
        let paths: Vec<String> = read
            .metadata
            .get_file_paths()
            .unwrap()
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            paths,
            [
                "/usr/bin/moorage",
                "/usr/share/doc/moorage/copyright",
                "/usr/share/zsh/site-functions/_moorage"
            ]
        );
        let requires = read.metadata.get_requires().unwrap();
        for name in ["fuse3", "libc.so.6(GLIBC_2.34)(64bit)"] {
            assert!(
                requires.iter().any(|dependency| dependency.name == name),
                "{name}"
            );
        }
    }

    #[test]
    fn the_archive_has_every_file_below_one_folder() {
        let bytes = archive::bytes(&[package(files())], &version()).unwrap();
        let top = format!("moorage-1.2.3~4-linux-{}", std::env::consts::ARCH);
        let unpacked = unpacked(&bytes);
        assert!(unpacked.iter().all(|(path, ..)| path.starts_with(&top)));
        assert!(
            unpacked
                .iter()
                .any(|(path, ..)| *path == format!("{top}/bin/moorage"))
        );
    }
}
