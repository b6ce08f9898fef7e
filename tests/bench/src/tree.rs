//! The source tree of the tree rows: a tar of a few thousand small files, the same in every run.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Files of the tree: as many as a middling source release has.
const FILES: u64 = 3_500;
/// Mean file size in bytes; with [`FILES`] some 55 MB.
const MEAN_BYTES: f64 = 15_700.0;
/// Files of one folder.
const FILES_PER_FOLDER: u64 = 20;

/// Writes the tar below `work`, with `1/divide` of the files.
pub(crate) fn source_tar(work: &Path, divide: u64) -> Result<PathBuf> {
    let path = work.join("source.tar");
    let mut tar = tar::Builder::new(BufWriter::new(File::create(&path)?));
    let mut random = StdRng::seed_from_u64(7);
    for index in 0..FILES / divide.max(1) {
        let exponential = -(1.0 - random.random::<f64>()).ln();
        let size = (exponential * MEAN_BYTES) as usize + 1;
        let content: Vec<u8> = (0..size).map(|_| b' ' + random.random_range(0..64u8)).collect();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        let folder = index / FILES_PER_FOLDER;
        let name = format!("source/part{}/folder{}/file{index}.c", folder % 7, folder);
        tar.append_data(&mut header, name, content.as_slice())?;
    }
    tar.into_inner()?;
    Ok(path)
}
