//! What winget asks of those who publish there: three small files beside the installers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::file_version;
use crate::dist::manifest::hexadecimal;
use crate::dist::version::Version;

/// What it is called there.
const IDENTIFIER: &str = "Moorage.Moorage";
/// Version of the form of these files.
const FORM: &str = "1.6.0";
/// Where releases are published.
const DOWNLOADS: &str = "https://github.com/moorage/moorage/releases/download";

/// Writes the files for the installers, the one that asks first.
pub(super) fn make(version: &Version, installers: &[PathBuf], output: &Path) -> Result<Vec<PathBuf>> {
    let [setup, package] = installers else {
        anyhow::bail!("there are two installers");
    };
    let head = |kind: &str| {
        format!(
            "# yaml-language-server: $schema=https://aka.ms/winget-manifest.{kind}.{FORM}.schema.json\n\
             PackageIdentifier: {IDENTIFIER}\nPackageVersion: {}\n",
            file_version(version)
        )
    };
    let foot = |kind: &str| format!("ManifestType: {kind}\nManifestVersion: {FORM}\n");
    let files = [
        (
            format!("{IDENTIFIER}.yaml"),
            format!("{}DefaultLocale: en-US\n{}", head("version"), foot("version")),
        ),
        (
            format!("{IDENTIFIER}.installer.yaml"),
            format!(
                "{}MinimumOSVersion: 10.0.17763.0\nUpgradeBehavior: install\n\
                 Dependencies:\n  PackageDependencies:\n  - PackageIdentifier: WinFsp.WinFsp\n    MinimumVersion: 2.1.25156\n\
                 Installers:\n{}{}{}",
                head("installer"),
                installer(version, setup, "nullsoft", "user")?,
                installer(version, package, "wix", "machine")?,
                foot("installer")
            ),
        ),
        (
            format!("{IDENTIFIER}.locale.en-US.yaml"),
            format!(
                "{}PackageLocale: en-US\nPublisher: The Moorage authors\nPackageName: Moorage\n\
                 License: GPL-3.0-only\nShortDescription: A file system whose bytes are in an object store\n{}",
                head("defaultLocale"),
                foot("defaultLocale")
            ),
        ),
    ];
    let mut made = Vec::new();
    for (name, text) in files {
        let path = output.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        made.push(path);
    }
    Ok(made)
}

fn installer(version: &Version, file: &Path, kind: &str, scope: &str) -> Result<String> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.context("the name of an installer is UTF-8")?;
    let sum = hexadecimal(&Sha256::digest(fs::read(file)?)).to_uppercase();
    Ok(format!(
        "- Architecture: x64\n  InstallerType: {kind}\n  Scope: {scope}\n  InstallerUrl: {DOWNLOADS}/v{}/{name}\n  \
         InstallerSha256: {sum}\n",
        file_version(version)
    ))
}
