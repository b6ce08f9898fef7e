//! Which blocks of a volume are only in the staging folders of this computer, seen from outside of any mount.

use std::collections::HashSet;
use std::path::Path;

use moorage_model::Result;

use super::name::StagedName;
use super::outside::{Order, each_folder};
use crate::block::BlockId;

/// The blocks of the volume `uuid` that a cache folder has staged, by mounts that run and by those that have ended.
/// Other clients can not read them yet. One that is uploaded in this moment may be among them. Changes nothing. Blocks
/// the thread: two listings for each mount.
///
/// # Errors
/// `InvalidArgument` for an impossible UUID; the disk's when a folder that is there can not be read.
pub fn staged_blocks(cache: &Path, uuid: &str) -> Result<HashSet<BlockId>> {
    let mut blocks = HashSet::new();
    for order in Order::BOTH {
        each_folder(cache, uuid, order, |_, entries| {
            for entry in entries {
                let name = entry?.file_name();
                let staged = name.to_str().and_then(StagedName::parse);
                blocks.extend(staged.map(|staged| staged.block));
            }
            Ok(())
        })?;
    }
    Ok(blocks)
}
