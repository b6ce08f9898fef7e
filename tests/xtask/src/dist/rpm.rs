//! The package for Fedora, openSUSE and what is made of them.

use anyhow::{Context, Result};
use rpm::{BuildConfig, CompressionWithLevel, Dependency, FileOptions, PackageBuilder};

use super::contents::Package;
use super::linking::Linked;
use super::version::Version;

/// A package of this version was made once.
const RELEASE: &str = "1";

/// Fast, and within a few percent of the slowest.
const GZIP_LEVEL: u32 = 6;

/// The name of the file.
pub(crate) fn name(package: &Package, version: &Version) -> String {
    let architecture = std::env::consts::ARCH;
    format!("{}-{}-{RELEASE}.{architecture}.rpm", package.name, version.text)
}

/// The package.
pub(crate) fn bytes(package: &Package, version: &Version) -> Result<Vec<u8>> {
    let config = BuildConfig::v4()
        .source_date(version.seconds)
        .compression(CompressionWithLevel::Gzip(GZIP_LEVEL));
    let mut builder = PackageBuilder::new(
        package.name,
        &version.text,
        "Apache-2.0",
        std::env::consts::ARCH,
        package.summary,
    );
    builder
        .using_config(config)
        .release(RELEASE)
        .description(package.description)
        .packager(package.maintainer)
        .build_host("localhost");
    for library in libraries(&package.linked) {
        builder.requires(Dependency::any(library));
    }
    for name in package.requires {
        builder.requires(Dependency::any(*name));
    }
    for name in package.recommends {
        builder.recommends(Dependency::any(*name));
    }
    if let Some(name) = package.same_version {
        builder.requires(Dependency::eq(name, format!("{}-{RELEASE}", version.text)));
    }
    if let Some(script) = &package.after_removal {
        builder.post_uninstall_script(script.as_str());
    }
    for (path, file) in package.tree.files() {
        let options = FileOptions::new(format!("/{path}")).permissions(file.mode);
        builder
            .with_file_contents(file.content.clone(), options)
            .with_context(|| format!("packing {path}"))?;
    }
    let mut bytes = Vec::new();
    builder.build()?.write(&mut bytes)?;
    Ok(bytes)
}

/// What rpm itself calls shared libraries of 64-bit programs.
fn libraries(linked: &Linked) -> Vec<String> {
    let mut names: Vec<String> = linked
        .libraries
        .iter()
        .map(|library| format!("{library}()(64bit)"))
        .collect();
    names.push(format!("libc.so.6(GLIBC_{})(64bit)", linked.c_library));
    names
}
