//! The arrows between the crates, as `cargo metadata` sees them (CONTRIBUTING, "The house").
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate of the house may use of the others, tests aside.
const ARROWS: [(&str, &[&str]); 13] = [
    ("moorage-model", &[]),
    ("moorage-meta", &["moorage-model"]),
    ("moorage-engines", &["moorage-meta", "moorage-model"]),
    ("moorage-chunk", &["moorage-model"]),
    ("moorage-vfs", &["moorage-meta", "moorage-chunk", "moorage-model"]),
    ("moorage-host", &[]),
    ("moorage-control", &[]),
    ("moorage-agent", &["moorage-control", "moorage-host"]),
    ("moorage-fuse", &["moorage-vfs", "moorage-model", "moorage-host"]),
    ("moorage-nfs", &["moorage-vfs", "moorage-model", "moorage-host"]),
    (
        "moorage-winfsp",
        &["moorage-vfs", "moorage-model", "moorage-host"],
    ),
    (
        "moorage-sync",
        &["moorage-model", "moorage-meta", "moorage-chunk", "moorage-vfs"],
    ),
    (
        "moorage",
        &[
            "moorage-model",
            "moorage-meta",
            "moorage-engines",
            "moorage-chunk",
            "moorage-vfs",
            "moorage-fuse",
            "moorage-nfs",
            "moorage-winfsp",
            "moorage-host",
            "moorage-control",
            "moorage-agent",
            "moorage-sync",
        ],
    ),
];

/// Libraries of kernels, drivers and windows, which the core may not know.
const OUTSIDE_THE_CORE: [&str; 6] = ["fuser", "winfsp", "tauri", "nix", "clap", "indicatif"];
const CORE: [&str; 5] = [
    "moorage-model",
    "moorage-meta",
    "moorage-engines",
    "moorage-chunk",
    "moorage-vfs",
];
/// Crates that only test: they may look at everything.
const TESTS: [&str; 2] = ["moorage-bench", "moorage-servers"];

/// What every package of the workspace needs directly to be built.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let needed = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| text(&dependency["name"]))
                .collect();
            (text(&package["name"]), needed)
        })
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let dependencies = dependencies();
    for (name, allowed) in ARROWS {
        let used = dependencies.get(name).expect(name);
        for other in used.iter().filter(|other| other.starts_with("moorage")) {
            assert!(allowed.contains(&other.as_str()), "{name} may not use {other}");
        }
    }
}

#[test]
fn every_crate_of_the_house_has_its_arrows() {
    for name in dependencies().keys().filter(|name| name.starts_with("moorage")) {
        let known = ARROWS.iter().any(|(known, _)| known == name);
        assert!(
            known || TESTS.contains(&name.as_str()),
            "{name} has no line in the table of arrows"
        );
    }
}

#[test]
fn the_core_knows_no_kernel_driver_or_window() {
    let dependencies = dependencies();
    for name in CORE {
        let used = dependencies.get(name).expect(name);
        for outside in OUTSIDE_THE_CORE {
            assert!(!used.contains(outside), "{name} uses {outside}");
        }
    }
}
