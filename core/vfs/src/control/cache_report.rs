//! What a warm-up answers.

use std::path::PathBuf;

use moorage_chunk::CacheUse;
use moorage_model::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// Most files that an answer names of each kind: more are counted, and nobody reads longer lists.
pub(super) const MOST_NAMED: usize = 1000;

/// What was found of the files that were asked for, and done with them. The first five names are those that the commands
/// of JuiceFS read; the rest is filled in for whoever asked for details.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CacheReport {
    /// Files.
    pub file_count: u64,
    /// Pieces that they are made of.
    pub slice_count: u64,
    /// Bytes of those.
    pub total_bytes: u64,
    /// Bytes that only the object store had before.
    pub miss_bytes: u64,
    /// Hosts of a shared cache, which this one is not.
    pub locations: serde_json::Map<String, serde_json::Value>,
    /// Blocks that hold the bytes.
    pub block_count: u64,
    /// Blocks that only the object store had before.
    pub miss_blocks: u64,
    /// Blocks that wait on this computer for their upload, and stay in any case.
    pub staged_blocks: u64,
    /// Bytes in those.
    pub staged_bytes: u64,
    /// Blocks that are pinned and so stay in any case, here or still to be fetched.
    pub pinned_blocks: u64,
    /// Bytes in those.
    pub pinned_bytes: u64,
    /// Blocks of those that are in the cache, where an eviction leaves them.
    pub kept_blocks: u64,
    /// Bytes in those.
    pub kept_bytes: u64,
    /// Pinned files of which blocks could not be fetched, the last time that was tried.
    pub unfetched_count: u64,
    /// Some of them.
    pub unfetched: Vec<UnfetchedFile>,
    /// Files and folders that failed.
    pub failed_count: u64,
    /// Some of them.
    pub failed: Vec<FailedPath>,
    /// Files that were fetched and are not in the cache completely all the same.
    pub unfit_count: u64,
    /// Bytes of them that are not in the cache.
    pub unfit_bytes: u64,
    /// Some of them.
    pub unfit: Vec<UnfitFile>,
    /// The whole cache afterwards.
    pub cache: Option<CacheFigures>,
}

/// A file or folder of which something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailedPath {
    /// From the root of the mount.
    pub path: String,
    /// The kind of the failure, as an error number of Linux.
    pub errno: u8,
    /// Message, cause and advice.
    pub reason: String,
}

/// A pinned file of which blocks could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnfetchedFile {
    /// From the root of the mount.
    pub path: String,
    /// Message, cause and advice.
    pub reason: String,
}

/// A file that is not in the cache completely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnfitFile {
    /// From the root of the mount.
    pub path: String,
    /// Bytes that are not there.
    pub bytes: u64,
}

/// The cache of a mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Kind")]
pub enum CacheFigures {
    /// None: objects are read where they lie, in a folder of this computer.
    Needless,
    /// In memory alone.
    #[serde(rename_all = "PascalCase")]
    Memory {
        /// Bytes held.
        bytes: u64,
    },
    /// On disk.
    #[serde(rename_all = "PascalCase")]
    Disk {
        /// Folders of blocks.
        folders: Vec<PathBuf>,
        /// Blocks held, of the whole volume.
        blocks: u64,
        /// Bytes of their files.
        bytes: u64,
        /// Most bytes.
        limit: u64,
        /// Blocks held that are pinned.
        #[serde(default)]
        pinned_blocks: u64,
        /// Bytes of their files.
        #[serde(default)]
        pinned_bytes: u64,
        /// Most bytes of pinned blocks.
        #[serde(default)]
        pin_limit: u64,
    },
}

impl From<CacheUse> for CacheFigures {
    fn from(cache: CacheUse) -> CacheFigures {
        match cache {
            CacheUse::Needless => CacheFigures::Needless,
            CacheUse::Memory { bytes } => CacheFigures::Memory { bytes },
            CacheUse::Disk {
                folders,
                blocks,
                bytes,
                limit,
                pinned_blocks,
                pinned_bytes,
                pin_limit,
            } => CacheFigures::Disk {
                folders,
                blocks,
                bytes,
                limit,
                pinned_blocks,
                pinned_bytes,
                pin_limit,
            },
        }
    }
}

impl CacheReport {
    /// Adds the numbers of a file.
    pub(super) fn add(&mut self, other: &CacheReport) {
        self.file_count += other.file_count;
        self.slice_count += other.slice_count;
        self.total_bytes += other.total_bytes;
        self.miss_bytes += other.miss_bytes;
        self.block_count += other.block_count;
        self.miss_blocks += other.miss_blocks;
        self.staged_blocks += other.staged_blocks;
        self.staged_bytes += other.staged_bytes;
        self.pinned_blocks += other.pinned_blocks;
        self.pinned_bytes += other.pinned_bytes;
        self.kept_blocks += other.kept_blocks;
        self.kept_bytes += other.kept_bytes;
    }

    /// Notes a pinned file of which blocks could not be fetched.
    pub(super) fn note_unfetched(&mut self, path: &[u8], reason: String) {
        self.unfetched_count += 1;
        if self.unfetched.len() < MOST_NAMED {
            let path = String::from_utf8_lossy(path).into_owned();
            self.unfetched.push(UnfetchedFile { path, reason });
        }
    }

    /// Notes a file that did not stay in the cache.
    pub(super) fn note_unfit(&mut self, path: &[u8], bytes: u64) {
        self.unfit_count += 1;
        self.unfit_bytes += bytes;
        if self.unfit.len() < MOST_NAMED {
            let path = String::from_utf8_lossy(path).into_owned();
            self.unfit.push(UnfitFile { path, bytes });
        }
    }

    /// Notes a failure.
    pub(super) fn note_failed(&mut self, path: &[u8], error: &Error) {
        self.failed_count += 1;
        if self.failed.len() < MOST_NAMED {
            self.failed.push(FailedPath::new(path, error));
        }
    }
}

impl FailedPath {
    pub(super) fn new(path: &[u8], error: &Error) -> FailedPath {
        FailedPath {
            path: String::from_utf8_lossy(path).into_owned(),
            errno: match error.kind() {
                // The nearest there is to "try again later", which EIO is not.
                ErrorKind::Unavailable => super::error_number(ErrorKind::Timeout),
                kind => super::error_number(kind),
            },
            reason: error.to_string(),
        }
    }
}
