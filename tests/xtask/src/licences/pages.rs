//! The packages that are built into the pages of the window.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Unpacked;

/// They are named here, since everything that builds the pages is installed beside them; building the pages fails when
/// another one is in them.
const SHIPPED: &str = "shipped.json";

#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Repository {
    Address(String),
    Described { url: String },
}

/// Those of the pages in this folder.
///
/// # Errors
/// That one of them is not installed.
pub(super) fn of(ui: &Path) -> Result<Vec<Unpacked>> {
    let names: Vec<String> = read(&ui.join(SHIPPED))?;
    names.iter().map(|name| package(ui, name)).collect()
}

fn package(ui: &Path, name: &str) -> Result<Unpacked> {
    let folder = ui.join("node_modules").join(name);
    let manifest: Manifest = read(&folder.join("package.json"))?;
    Ok(Unpacked {
        is_crate: false,
        on_windows: false,
        name: manifest.name,
        version: manifest.version,
        licence: manifest.license,
        source: manifest.repository.map(|repository| match repository {
            Repository::Address(address) | Repository::Described { url: address } => {
                plain(&address).to_owned()
            }
        }),
        folder,
    })
}

/// An address as a person opens it.
fn plain(address: &str) -> &str {
    let address = address.strip_prefix("git+").unwrap_or(address);
    address.strip_suffix(".git").unwrap_or(address)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let content = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&content).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_where_it_comes_from_in_one_of_two_manners() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("node_modules/@a/b");
        fs::create_dir_all(&place).expect("a folder");
        fs::write(folder.path().join(SHIPPED), r#"["@a/b"]"#).expect("written");
        for repository in [
            r#""https://example.org/b""#,
            r#"{"type": "git", "url": "git+https://example.org/b.git"}"#,
        ] {
            let manifest = format!(
                r#"{{"name": "@a/b", "version": "2.0.0", "license": "MIT", "repository": {repository}}}"#
            );
            fs::write(place.join("package.json"), manifest).expect("written");
            let found = of(folder.path()).expect("it is installed");
            let sources: Vec<Option<&str>> = found.iter().map(|one| one.source.as_deref()).collect();
            assert_eq!(sources, [Some("https://example.org/b")]);
        }
    }
}
