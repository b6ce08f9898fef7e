//! Which blocks were read in part lately, to tell a single random read from the first of many.

use crate::block::BlockId;

/// Blocks remembered.
const REMEMBERED: usize = 4096;

/// A bounded set of blocks; forgetting one early costs a ranged read.
#[derive(Debug)]
pub(crate) struct Touches(quick_cache::sync::Cache<BlockId, ()>);

impl Touches {
    pub(crate) fn new() -> Touches {
        Touches(quick_cache::sync::Cache::new(REMEMBERED))
    }

    /// Marks a block; whether it was marked before.
    pub(crate) fn touch(&self, block: BlockId) -> bool {
        let again = self.0.get(&block).is_some();
        if !again {
            self.0.insert(block, ());
        }
        again
    }
}
