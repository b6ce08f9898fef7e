//! Keeping blocks on this computer: the disk cache never gives up a pinned one to make room.
//!
//! Which blocks those are is decided by who knows files. Here they are a set that is replaced as a whole.

use std::collections::HashSet;
use std::path::Path;

use moorage_model::{Error, ErrorKind, Result};

use crate::block::BlockId;
use crate::chunk_store::{ChunkStore, closed};
use crate::offload::away;

impl ChunkStore {
    /// The file beside the disk cache that says what is pinned on this computer, for every mount of the volume with this
    /// cache. As long as it is there at the start, everything in the cache is kept until [`ChunkStore::replace_pins`].
    ///
    /// # Errors
    /// `NotSupported` when nothing can be pinned, as there is no disk cache, with the reason.
    pub fn pins_file(&self) -> Result<&Path> {
        match &self.disk {
            Some(disk) => Ok(disk.pins_file()),
            None if self.local => Err(Error::new(
                ErrorKind::NotSupported,
                "the objects of this volume lie in a folder of this computer: all files are here without being pinned",
            )),
            None => Err(Error::new(
                ErrorKind::NotSupported,
                "this mount has no cache on disk, where pinned files could be kept",
            )
            .with_advice("Mount with a --cache-size above 0.")),
        }
    }

    /// Pins these blocks and no others, here or not: from now on they are not given up to make room. As many as fit, in
    /// their order, into 80 % of each cache folder; returns those that do not. Nothing is fetched.
    ///
    /// Some 100 ns and 16 bytes for each block. Reads and additions to the cache cost the same with pins as without: the
    /// set is looked into only when a block comes up for eviction (20 ns).
    pub fn replace_pins(&self, blocks: impl IntoIterator<Item = BlockId>) -> HashSet<BlockId> {
        match &self.disk {
            Some(disk) => disk.replace_pins(blocks),
            None => HashSet::new(),
        }
    }

    /// Whether all of these blocks can be pinned together: within 80 % of each cache folder, and with room on its disk for
    /// those that are missing.
    ///
    /// # Errors
    /// `NoSpace` with the figures and what to do; what the disk says.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn check_pins(&self, blocks: HashSet<BlockId>) -> Result<()> {
        let this = self.this.upgrade().ok_or_else(closed)?;
        away(&self.runtime, move || match &this.disk {
            Some(disk) => disk.check_pins(&blocks),
            None => Ok(()),
        })
        .await
    }

    /// Whether a block is pinned. One lock.
    pub fn is_pinned(&self, block: &BlockId) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.is_pinned(block))
    }

    /// Looks whether the files of these blocks are there: another mount of this computer may have given them up before
    /// it knew that they are pinned.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn look_for(&self, blocks: Vec<BlockId>) {
        let Some(this) = self.this.upgrade() else { return };
        let looked = away(&self.runtime, move || {
            if let Some(disk) = &this.disk {
                disk.forget_missing(&blocks);
            }
            Ok(())
        });
        if let Err(error) = looked.await {
            tracing::debug!(%error, "pinned blocks were not looked for");
        }
    }
}
