//! statfs.

use moorage_model::{Ino, MAX_NAME_BYTES, Result};

use crate::journal::Operation;
use crate::{StatFsReply, Vfs};

/// Bytes of a block in the answer (spec 70-semantics section 8).
const BLOCK_BYTES: u32 = 4096;

impl Vfs {
    /// Sizes of the volume, or of what quotas leave to this mount.
    ///
    /// One engine read, answered from the last numbers when that takes long.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn statfs(&self, ino: Ino) -> Result<StatFsReply> {
        self.watch(Operation::StatFs, None, || ino.to_string(), async {
            let found = self.meta.statfs(self.root).await?;
            let block = u64::from(BLOCK_BYTES);
            Ok(StatFsReply {
                block_size: BLOCK_BYTES,
                blocks: found.total_space / block,
                blocks_free: found.available_space / block,
                files: found.used_inodes.saturating_add(found.available_inodes),
                files_free: found.available_inodes,
                name_max: u32::try_from(MAX_NAME_BYTES).unwrap_or(u32::MAX),
            })
        })
        .await
    }
}
