//! The archive for every other system: `tar --strip-components=1 -C ~/.local -xf` installs it for one user.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::contents::Package;
use super::tree::{self, PROGRAM};
use super::version::Version;

/// The name of the file.
pub(crate) fn name(version: &Version) -> String {
    format!("{}.tar.gz", folder(version))
}

fn folder(version: &Version) -> String {
    format!("moorage-{}-linux-{}", version.text, std::env::consts::ARCH)
}

/// All packages in one folder, without `usr`.
pub(crate) fn bytes(packages: &[Package], version: &Version) -> Result<Vec<u8>> {
    let top = folder(version);
    let mut files: Vec<(String, u16, &[u8])> = packages
        .iter()
        .flat_map(|package| package.tree.files())
        .map(|(path, file)| {
            let path = path.strip_prefix("usr/").unwrap_or(path);
            (format!("{top}/{path}"), file.mode, file.content.as_slice())
        })
        .collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    tar_gz(&files, version)
}

/// A compressed archive of these files and the folders above them, in the order given, all of root and of one time.
pub(super) fn tar_gz(files: &[(String, u16, &[u8])], version: &Version) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(gzip(Vec::new()));
    for folder in tree::folders_above(files.iter().map(|(path, ..)| path.as_str())) {
        let mut header = header(tar::EntryType::Directory, PROGRAM, 0, version);
        archive
            .append_data(&mut header, format!("{folder}/"), std::io::empty())
            .with_context(|| format!("packing {folder}"))?;
    }
    for (path, mode, content) in files {
        let mut header = header(tar::EntryType::Regular, *mode, content.len() as u64, version);
        archive
            .append_data(&mut header, path, *content)
            .with_context(|| format!("packing {path}"))?;
    }
    Ok(archive.into_inner()?.finish()?)
}

fn header(kind: tar::EntryType, mode: u16, size: u64, version: &Version) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(u32::from(mode));
    header.set_size(size);
    header.set_mtime(u64::from(version.seconds));
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// A compressor that writes no time and no name.
fn gzip<W: Write>(target: W) -> GzEncoder<W> {
    GzBuilder::new().mtime(0).write(target, Compression::default())
}

/// One compressed file.
pub(super) fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = gzip(Vec::new());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
