//! What was made, for those who check a download.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::version::Version;

#[derive(Serialize)]
struct Manifest<'a> {
    version: &'a str,
    commit: Option<&'a str>,
    /// Seconds since 1970.
    time: u32,
    architecture: &'static str,
    files: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    /// Bytes.
    size: u64,
    sha256: String,
}

/// The name of the file.
pub(crate) fn name(version: &Version) -> String {
    format!("moorage-{}.json", version.text)
}

/// Names, sizes and checksums of these files.
pub(crate) fn bytes(files: &[PathBuf], version: &Version) -> Result<Vec<u8>> {
    let mut entries = Vec::new();
    for path in files {
        let content = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().and_then(|name| name.to_str());
        entries.push(Entry {
            name: name.context("the name of a package is UTF-8")?.to_owned(),
            size: content.len() as u64,
            sha256: hexadecimal(&Sha256::digest(&content)),
        });
    }
    let manifest = Manifest {
        version: &version.text,
        commit: version.commit.as_deref(),
        time: version.seconds,
        architecture: std::env::consts::ARCH,
        files: entries,
    };
    let mut text = serde_json::to_vec_pretty(&manifest)?;
    text.push(b'\n');
    Ok(text)
}

/// Two digits a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
