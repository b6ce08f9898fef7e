//! The crates that are built into a program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Unpacked;

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    /// Absent for what is in this repository.
    source: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    /// Absent for what is linked; otherwise `build` or `dev`.
    kind: Option<String>,
}

impl Package {
    /// It runs in the compiler, and nothing of it is in the program.
    fn is_macro(&self) -> bool {
        let mut kinds = self.targets.iter().flat_map(|target| &target.kind);
        kinds.any(|kind| kind == "proc-macro")
    }
}

/// What is linked into the program `root` of this manifest, for this target; without one, for the system that this runs on.
///
/// # Errors
/// That cargo can not tell.
pub(super) fn of(manifest: &Path, root: &str, target: Option<&str>) -> Result<Vec<Unpacked>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
        ])
        .arg(target.map_or_else(system, |target| Ok(target.to_owned()))?)
        .arg("--manifest-path")
        .arg(manifest);
    let metadata: Metadata = serde_json::from_slice(&output(&mut command)?)?;
    let on_windows = target.is_some_and(|target| target.contains("windows"));
    linked(metadata, root, on_windows)
}

fn linked(metadata: Metadata, root: &str, on_windows: bool) -> Result<Vec<Unpacked>> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for package in metadata.packages {
        packages.insert(package.id.clone(), package);
    }
    let nodes: BTreeMap<&str, &Node> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let begin = packages
        .values()
        .find(|package| package.name == root && package.source.is_none())
        .with_context(|| format!("there is no package {root}"))?;
    let mut waiting = vec![begin.id.as_str()];
    let mut reached = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let is_macro = packages.get(id).is_none_or(Package::is_macro);
        if is_macro || !reached.insert(id.to_owned()) {
            continue;
        }
        let node = nodes.get(id).with_context(|| format!("{id} is not resolved"))?;
        let linked = node
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        waiting.extend(linked.map(|dependency| dependency.pkg.as_str()));
    }
    let mut found = Vec::new();
    for package in packages.into_values() {
        if reached.contains(&package.id) && package.source.is_some() {
            let folder = package
                .manifest_path
                .parent()
                .context("a manifest is in a folder")?;
            found.push(Unpacked {
                folder: folder.to_owned(),
                name: package.name,
                version: package.version,
                licence: package.license,
                source: package.repository,
                is_crate: true,
                on_windows,
            });
        }
    }
    Ok(found)
}

/// The system that the compiler builds for here.
fn system() -> Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let said = String::from_utf8(said).context("rustc speaks UTF-8")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names its host")?.to_owned())
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, source: Option<&str>, kind: &str) -> Value {
        json!({
            "id": name, "name": name, "version": "1.0.0", "license": "MIT", "repository": null, "source": source,
            "manifest_path": format!("/crates/{name}/Cargo.toml"), "targets": [{"kind": [kind]}],
        })
    }

    fn node(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]}))
            .collect();
        json!({"id": name, "deps": dependencies})
    }

    #[test]
    fn only_what_is_linked_is_listed() {
        let registry = Some("registry");
        let metadata = json!({
            "packages": [
                package("program", None, "bin"), package("ours", None, "lib"), package("theirs", registry, "lib"),
                package("below", registry, "lib"), package("macros", registry, "proc-macro"),
                package("in-macros", registry, "lib"), package("builds", registry, "lib"),
                package("tests", registry, "lib"), package("elsewhere", registry, "lib"),
            ],
            "resolve": {"nodes": [
                node("program", &[("ours", None), ("builds", Some("build")), ("tests", Some("dev"))]),
                node("ours", &[("theirs", None), ("macros", None)]),
                node("theirs", &[("below", None)]), node("below", &[]),
                node("macros", &[("in-macros", None)]), node("in-macros", &[]),
                node("builds", &[]), node("tests", &[]), node("elsewhere", &[]),
            ]},
        });
        let metadata = serde_json::from_value(metadata).expect("metadata");
        let found = linked(metadata, "program", false).expect("it is there");
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["below", "theirs"]);
    }
}
