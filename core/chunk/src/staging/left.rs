//! What ended mounts have left staged, seen from outside of any mount.

use std::fs::{File, ReadDir, TryLockError};
use std::io;
use std::path::Path;

use moorage_model::Result;

use super::folder::LOCK;
use super::name::StagedName;
use super::outside::{Order, each_folder};

/// Acknowledged blocks in a cache folder that no mount uploads now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftBlocks {
    /// Number of blocks.
    pub blocks: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// Counts the blocks of the volume `uuid` that ended mounts have left in a cache folder for the next write-back mount
/// with this folder. Those of living mounts are theirs to tell. Changes nothing. Blocks the thread: one listing.
///
/// # Errors
/// `InvalidArgument` for an impossible UUID; the disk's when a folder that is there can not be read.
pub fn left_blocks(cache: &Path, uuid: &str) -> Result<LeftBlocks> {
    let mut left = LeftBlocks::default();
    each_folder(cache, uuid, Order::Ascending, |root, entries| {
        count(root, entries, &mut left)
    })?;
    Ok(left)
}

fn count(root: &Path, entries: ReadDir, left: &mut LeftBlocks) -> io::Result<()> {
    // Held until the end, so that no mount begins to upload what is being counted.
    let lock = match File::open(root.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().and_then(StagedName::parse).is_some() {
            left.blocks += 1;
            left.bytes += entry.metadata()?.len();
        }
    }
    Ok(())
}
