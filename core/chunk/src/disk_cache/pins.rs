//! Blocks that stay: which they are, and whether they fit.

use std::collections::HashSet;
use std::path::Path;

use moorage_model::Result;

use super::DiskCache;
use super::room::pin_limit;
use crate::block::BlockId;
use crate::block_file::file_bytes;
use crate::disk_error::disk_error;

/// Pinned blocks of one folder at most: what is left of [`super::folder::MAX_BLOCKS`] is for all others.
const MAX_PINNED_BLOCKS: usize = super::folder::MAX_BLOCKS / 5 * 4;

/// What is pinned of a disk cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PinnedCounts {
    /// Blocks that are here.
    pub(crate) blocks: u64,
    /// Bytes of their files.
    pub(crate) bytes: u64,
    /// Most bytes.
    pub(crate) limit: u64,
}

/// Blocks of one folder that are to be pinned.
#[derive(Debug, Default)]
struct Share {
    blocks: HashSet<BlockId>,
    bytes: u64,
}

impl DiskCache {
    /// The file that says what is pinned, which whoever knows files writes.
    pub(crate) fn pins_file(&self) -> &Path {
        &self.pins_file
    }

    /// Pins these blocks and no others, as many as fit in their order; returns those that do not.
    pub(crate) fn replace_pins(&self, blocks: impl IntoIterator<Item = BlockId>) -> HashSet<BlockId> {
        let mut shares: Vec<Share> = self.writers.iter().map(|_| Share::default()).collect();
        let limits: Vec<u64> = self
            .writers
            .iter()
            .map(|writer| pin_limit(writer.folder.capacity()))
            .collect();
        let mut unfit = HashSet::new();
        for block in blocks {
            let place = self.place(&block);
            let (Some(share), Some(limit)) = (shares.get_mut(place), limits.get(place)) else {
                continue;
            };
            if share.blocks.contains(&block) {
                continue;
            }
            let bytes = file_bytes(block.len as usize);
            if share.bytes + bytes > *limit || share.blocks.len() >= MAX_PINNED_BLOCKS {
                unfit.insert(block);
                continue;
            }
            share.bytes += bytes;
            share.blocks.insert(block);
        }
        for (writer, share) in self.writers.iter().zip(shares) {
            writer.folder.replace_pins(share.blocks);
        }
        unfit
    }

    /// Whether all of these blocks could be pinned together. Blocks the thread: questions to the file system.
    ///
    /// # Errors
    /// `NoSpace` with the figures and what to do; the disk's.
    pub(crate) fn check_pins(&self, blocks: &HashSet<BlockId>) -> Result<()> {
        let mut sums: Vec<(u64, u64)> = self.writers.iter().map(|_| (0, 0)).collect();
        for block in blocks {
            let place = self.place(block);
            if let (Some((pinned, missing)), Some(writer)) = (sums.get_mut(place), self.writers.get(place)) {
                let bytes = file_bytes(block.len as usize);
                *pinned += bytes;
                *missing += if writer.folder.has(block) { 0 } else { bytes };
            }
        }
        for (writer, (pinned, missing)) in self.writers.iter().zip(sums) {
            let root = writer.folder.root();
            let room = writer
                .folder
                .pin_room()
                .map_err(|error| disk_error("can not look at the cache folder", root.display(), error))?;
            room.check(root, pinned, missing)?;
        }
        Ok(())
    }

    /// Whether a block is pinned. One lock.
    pub(crate) fn is_pinned(&self, block: &BlockId) -> bool {
        self.writer(block)
            .is_some_and(|writer| writer.folder.is_pinned(block))
    }

    /// Forgets blocks whose files another mount of this computer has deleted. Blocks the thread.
    pub(crate) fn forget_missing(&self, blocks: &[BlockId]) {
        for (place, writer) in self.writers.iter().enumerate() {
            let own: Vec<BlockId> = blocks
                .iter()
                .filter(|block| self.place(block) == place)
                .copied()
                .collect();
            writer.folder.forget_missing(&own);
        }
    }

    /// What is pinned and here. In proportion to the number of pinned blocks.
    pub(crate) fn pinned(&self) -> PinnedCounts {
        self.writers.iter().fold(PinnedCounts::default(), |sum, writer| {
            let here = writer.folder.pinned_here();
            PinnedCounts {
                blocks: sum.blocks + here.blocks,
                bytes: sum.bytes + here.bytes,
                limit: sum.limit + pin_limit(writer.folder.capacity()),
            }
        })
    }
}
