//! How a mounted volume is doing, in numbers.

use std::collections::{BTreeSet, HashSet};

use moorage_chunk::StagedFiles;
use moorage_model::{ErrorKind, Ino, Result};

use crate::Vfs;

/// Numbers of a mounted volume. Sums run since the mount began.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Operations answered.
    pub operations: u64,
    /// Bytes put into the object store.
    pub bytes_uploaded: u64,
    /// Bytes read from the object store.
    pub bytes_downloaded: u64,
    /// What is staged for its upload.
    pub staged: StagedFiles,
    /// Files with bytes that are staged, or in memory alone.
    pub files_only_here: u64,
    /// Bytes that are staged, or in memory alone.
    pub bytes_only_here: u64,
    /// Bytes in the cache on disk.
    pub cache_used: u64,
    /// Most bytes in the cache on disk; 0 without one.
    pub cache_limit: u64,
    /// Operations that failed for what is a fault of the volume, its machine or its servers, by kind.
    pub failures: Vec<(ErrorKind, u64)>,
    /// Bytes read by processes, in no order.
    pub readers: Vec<(u32, u64)>,
    /// Why nothing gets through to the object store, without advice; `None` while there is no sign of that.
    pub store_problem: Option<String>,
}

/// Space of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeSpace {
    /// Bytes used.
    pub used: u64,
    /// Most bytes; none when only the store limits them.
    pub quota: Option<u64>,
    /// Files and folders.
    pub inodes: u64,
}

impl Vfs {
    /// The space of the volume, or what quotas make of it for this mount. One engine read, answered from the last numbers
    /// when that takes long.
    ///
    /// # Errors
    /// What the engine answers.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn space(&self) -> Result<VolumeSpace> {
        let found = self.meta.statfs(self.root).await?;
        Ok(VolumeSpace {
            used: found.total_space.saturating_sub(found.available_space),
            quota: (self.meta.setting().capacity > 0).then_some(found.total_space),
            inodes: found.used_inodes,
        })
    }

    /// Returns once the metadata database has answered. One engine read, which takes as long as the engine waits for its
    /// server.
    ///
    /// # Errors
    /// As [`moorage_meta::Meta::check_presence`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn reach_database(&self) -> Result<()> {
        self.meta.check_presence().await
    }

    /// The files that programs have open, each once, in the order of their inodes.
    pub fn open_files(&self) -> Vec<Ino> {
        let open: BTreeSet<Ino> = self
            .handles
            .files()
            .iter()
            .map(|opened| opened.file.ino)
            .collect();
        open.into_iter().collect()
    }

    /// The figures now, from memory alone. In proportion to the numbers of open files and of staged blocks.
    pub fn figures(&self) -> Figures {
        let (chunks, staged) = (self.chunks.stats(), self.chunks.staged_files());
        let mut files = HashSet::new();
        let mut bytes = staged.bytes();
        for file in self.files.dirty() {
            for pending in &file.content().pending {
                files.insert(file.ino);
                // Some of its blocks may be staged already.
                let counted = staged
                    .slices
                    .get(&pending.slice.id)
                    .map_or(0, |slice| slice.bytes);
                bytes += u64::from(pending.len).saturating_sub(counted);
            }
        }
        let in_memory = files.difference(&staged.owners()).count();
        Figures {
            operations: self.journal.stats().map(|operation| operation.calls).sum(),
            bytes_uploaded: chunks.store.put_bytes,
            bytes_downloaded: chunks.store.get_bytes,
            files_only_here: staged.files() + in_memory as u64,
            bytes_only_here: bytes,
            staged,
            cache_used: chunks.cache_bytes,
            cache_limit: chunks.cache_limit,
            failures: self.journal.failures(),
            readers: self.bytes_read_by_process(),
            store_problem: self.chunks.store_problem(),
        }
    }
}
