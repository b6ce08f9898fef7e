//! Which blocks a folder of the disk cache holds, and which goes next: S3-FIFO.
//!
//! New blocks pass through a small queue; only those read again while in it, or soon after they left it (the
//! ghosts), reach the main queue, where each further use buys another round. A scan of any length therefore costs
//! the small queue and nothing else. It needs no lock order or list surgery on a hit, which LRU does, and unlike
//! random choice of two it does not throw out the hot for the merely recent. (Yang et al., "FIFO queues are all you
//! need for cache eviction", SOSP 2023.) The crate behind the memory cache has no way to give up bytes on demand,
//! which a disk that others fill needs.
//!
//! Pinned blocks are never given up. Pins cost nothing where blocks are read or added: one look into a set of hashes
//! (about 20 ns) for each block that comes up for eviction, and a pinned one comes up once, since it leaves the queues
//! then until it is no longer pinned.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::block::BlockId;

/// Part of the bytes that the small queue may hold: one in this many.
const SMALL_PART: u64 = 10;
/// Uses that count; more would keep what was hot long ago.
const MOST_USES: u8 = 3;
/// A use counts only when this many other blocks were used since the last one: reading a block from end to end in
/// small steps is one use.
const CORRELATED_USES: u64 = 16;
/// Ghosts kept at least.
const LEAST_GHOSTS: usize = 1024;

#[derive(Debug)]
struct Entry {
    bytes: u64,
    uses: u8,
    in_main: bool,
    /// Which place in a queue is this entry's: an earlier one belongs to a block that was removed.
    place: u64,
    /// The clock of uses when this one was last used.
    used_at: u64,
    /// In no queue, because it was not to be given up when it came up.
    aside: bool,
}

/// Blocks with their sizes in eviction order.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<BlockId, Entry>,
    small: VecDeque<(BlockId, u64)>,
    main: VecDeque<(BlockId, u64)>,
    ghosts: VecDeque<BlockId>,
    ghost_set: HashSet<BlockId>,
    small_bytes: u64,
    bytes: u64,
    next_place: u64,
    clock: u64,
    last_used: Option<BlockId>,
    pinned: HashSet<BlockId>,
    /// Blocks with an earlier place are kept: nobody has said yet which of them are pinned.
    guarded_until: u64,
    /// Blocks that were put aside; some of them may be gone since.
    aside: HashSet<BlockId>,
    aside_bytes: u64,
}

/// What the pins of a folder take, and what could make room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PinnedHere {
    /// Pinned blocks that are here.
    pub(super) blocks: u64,
    /// Bytes of their files.
    pub(super) bytes: u64,
}

impl Index {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, block: &BlockId) -> bool {
        self.entries.contains_key(block)
    }

    /// Notes a use; whether the block is here.
    pub(super) fn touch(&mut self, block: &BlockId) -> bool {
        let Some(entry) = self.entries.get_mut(block) else {
            return false;
        };
        if self.last_used != Some(*block) {
            self.clock += 1;
            self.last_used = Some(*block);
        }
        if self.clock - entry.used_at >= CORRELATED_USES {
            entry.uses = (entry.uses + 1).min(MOST_USES);
        }
        entry.used_at = self.clock;
        true
    }

    /// Adds a block.
    pub(super) fn insert(&mut self, block: BlockId, bytes: u64) {
        self.remove(&block);
        let in_main = self.ghost_set.remove(&block);
        let place = self.next_place;
        self.next_place += 1;
        if in_main {
            self.main.push_back((block, place));
        } else {
            self.small.push_back((block, place));
            self.small_bytes += bytes;
        }
        self.bytes += bytes;
        self.entries.insert(
            block,
            Entry {
                bytes,
                uses: 0,
                in_main,
                place,
                used_at: self.clock,
                aside: false,
            },
        );
    }

    /// Keeps everything that is here now until it is said what is pinned.
    pub(super) fn guard(&mut self) {
        self.guarded_until = self.next_place;
    }

    /// Says what is pinned, here or not, in the place of what was; returns that. In proportion to the number of blocks
    /// that were put aside.
    pub(super) fn replace_pins(&mut self, pinned: HashSet<BlockId>) -> HashSet<BlockId> {
        let before = std::mem::replace(&mut self.pinned, pinned);
        self.guarded_until = 0;
        let (stay, back) = std::mem::take(&mut self.aside)
            .into_iter()
            .filter(|block| self.entries.get(block).is_some_and(|entry| entry.aside))
            .partition(|block| self.pinned.contains(block));
        self.aside = stay;
        let back: HashSet<BlockId> = back;
        for block in back {
            if let Some(entry) = self.entries.get_mut(&block) {
                entry.aside = false;
                self.aside_bytes -= entry.bytes;
                self.main.push_back((block, entry.place));
            }
        }
        before
    }

    pub(super) fn is_pinned(&self, block: &BlockId) -> bool {
        self.pinned.contains(block)
    }

    /// What is pinned and here. In proportion to the number of pinned blocks.
    pub(super) fn pinned_here(&self) -> PinnedHere {
        let here = self.pinned.iter().filter_map(|block| self.entries.get(block));
        here.fold(PinnedHere::default(), |sum, entry| PinnedHere {
            blocks: sum.blocks + 1,
            bytes: sum.bytes + entry.bytes,
        })
    }

    /// Whether a block that came up for eviction stays; then it waits outside of the queues.
    fn keeps(&mut self, block: &BlockId, place: u64) -> bool {
        if place >= self.guarded_until && !self.pinned.contains(block) {
            return false;
        }
        if let Some(entry) = self.entries.get_mut(block) {
            if !entry.in_main {
                entry.in_main = true;
                self.small_bytes -= entry.bytes;
            }
            entry.aside = true;
            self.aside_bytes += entry.bytes;
            self.aside.insert(*block);
        }
        true
    }

    /// Forgets a block; whether it was here.
    pub(super) fn remove(&mut self, block: &BlockId) -> bool {
        let Some(entry) = self.entries.remove(block) else {
            return false;
        };
        self.bytes -= entry.bytes;
        if !entry.in_main {
            self.small_bytes -= entry.bytes;
        }
        if entry.aside {
            self.aside_bytes -= entry.bytes;
        }
        true
    }

    /// Takes the block out that is worth least; `None` when there is none that may be given up.
    pub(super) fn evict(&mut self) -> Option<BlockId> {
        loop {
            let in_turn = self.bytes - self.aside_bytes;
            let small = self.small_bytes > in_turn / SMALL_PART || self.main.is_empty();
            let block = if small {
                self.evict_small()
            } else {
                self.evict_main()
            };
            if block.is_some() || (self.small.is_empty() && self.main.is_empty()) {
                return block;
            }
        }
    }

    /// One step through the small queue.
    fn evict_small(&mut self) -> Option<BlockId> {
        let (block, place) = self.small.pop_front()?;
        let entry = self
            .entries
            .get_mut(&block)
            .filter(|entry| entry.place == place)?;
        if entry.uses > 0 {
            entry.uses = 0;
            entry.in_main = true;
            self.small_bytes -= entry.bytes;
            self.main.push_back((block, place));
            return None;
        }
        if self.keeps(&block, place) {
            return None;
        }
        self.remove(&block);
        self.ghosts.push_back(block);
        self.ghost_set.insert(block);
        while self.ghosts.len() > self.entries.len().max(LEAST_GHOSTS) {
            if let Some(oldest) = self.ghosts.pop_front() {
                self.ghost_set.remove(&oldest);
            }
        }
        Some(block)
    }

    /// One step through the main queue.
    fn evict_main(&mut self) -> Option<BlockId> {
        let (block, place) = self.main.pop_front()?;
        let entry = self
            .entries
            .get_mut(&block)
            .filter(|entry| entry.place == place)?;
        if entry.uses > 0 {
            entry.uses -= 1;
            self.main.push_back((block, place));
            return None;
        }
        if self.keeps(&block, place) {
            return None;
        }
        self.remove(&block);
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::SliceId;
    use proptest::prelude::*;

    use super::*;

    fn block(n: u64) -> BlockId {
        BlockId {
            slice: SliceId(n),
            index: 0,
            len: 1,
        }
    }

    /// Reads a block through a cache of `capacity` blocks, in several small steps; whether it was there.
    fn read(index: &mut Index, capacity: u64, n: u64) -> bool {
        let hit = index.touch(&block(n));
        if !hit {
            while index.bytes() + 1 > capacity {
                index.evict().unwrap();
            }
            index.insert(block(n), 1);
        }
        for _ in 0..8 {
            index.touch(&block(n));
        }
        hit
    }

    #[test]
    fn a_scan_does_not_push_out_what_is_read_again_and_again() {
        let mut index = Index::default();
        for _ in 0..5 {
            for n in 0..60 {
                read(&mut index, 100, n);
            }
        }
        for n in 1000..3000 {
            read(&mut index, 100, n);
        }
        let kept = (0..60).filter(|n| index.contains(&block(*n))).count();
        assert!(kept >= 55, "{kept} of 60 survived a scan of 20 times the cache");
    }

    #[test]
    fn a_working_set_that_changes_takes_over() {
        let mut index = Index::default();
        for round in 0..10 {
            for n in 0..50 {
                read(&mut index, 100, n);
                read(&mut index, 100, 10_000 + round * 50 + n);
            }
        }
        for _ in 0..10 {
            for n in 500..580 {
                read(&mut index, 100, n);
            }
        }
        let hits = (500..580).filter(|n| read(&mut index, 100, *n)).count();
        assert!(hits >= 70, "{hits} of 80");
    }

    #[test]
    fn bytes_and_entries_agree_after_any_mixture() {
        let mut index = Index::default();
        let mut sizes = HashMap::new();
        for n in 0..10_000u64 {
            let id = block(n.wrapping_mul(7919) % 300);
            match n % 5 {
                0 | 1 => {
                    index.insert(id, n % 90);
                    sizes.insert(id, n % 90);
                }
                2 => assert_eq!(index.remove(&id), sizes.remove(&id).is_some()),
                3 => assert_eq!(index.touch(&id), sizes.contains_key(&id)),
                _ => {
                    if let Some(gone) = index.evict() {
                        assert!(sizes.remove(&gone).is_some());
                    } else {
                        assert!(sizes.is_empty());
                    }
                }
            }
            assert_eq!(index.bytes(), sizes.values().sum::<u64>());
            assert_eq!(index.len(), sizes.len());
        }
        while index.evict().is_some() {}
        assert_eq!((index.bytes(), index.small_bytes, index.len()), (0, 0, 0));
    }

    #[test]
    fn what_is_there_at_the_start_stays_until_the_pins_are_known() {
        let mut index = Index::default();
        for n in 0..10 {
            index.insert(block(n), 1);
        }
        index.guard();
        index.insert(block(100), 1);
        assert_eq!(index.evict(), Some(block(100)));
        assert_eq!(index.evict(), None);
        index.replace_pins([block(3), block(7)].into());
        while index.evict().is_some() {}
        assert_eq!((index.len(), index.bytes()), (2, 2));
        assert!(index.contains(&block(3)) && index.contains(&block(7)));
        assert_eq!(index.pinned_here(), PinnedHere { blocks: 2, bytes: 2 });
        index.replace_pins(HashSet::new());
        while index.evict().is_some() {}
        assert_eq!((index.len(), index.bytes(), index.aside_bytes), (0, 0, 0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u64),
        Remove(u64),
        Touch(u64),
        Evict,
        Pin(Vec<u64>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..40u64, 0..50u64).prop_map(|(n, bytes)| Step::Insert(n, bytes)),
            1 => (0..40u64).prop_map(Step::Remove),
            2 => (0..40u64).prop_map(Step::Touch),
            4 => Just(Step::Evict),
            1 => proptest::collection::vec(0..40u64, 0..20).prop_map(Step::Pin),
        ]
    }

    proptest! {
        #[test]
        fn a_pinned_block_is_never_evicted_and_every_other_one_can_be(
            steps in proptest::collection::vec(step(), 1..400)
        ) {
            let mut index = Index::default();
            let (mut sizes, mut pinned) = (HashMap::new(), HashSet::new());
            for step in steps {
                match step {
                    Step::Insert(n, bytes) => {
                        index.insert(block(n), bytes);
                        sizes.insert(block(n), bytes);
                    }
                    Step::Remove(n) => {
                        prop_assert_eq!(index.remove(&block(n)), sizes.remove(&block(n)).is_some());
                    }
                    Step::Touch(n) => {
                        index.touch(&block(n));
                    }
                    Step::Evict => match index.evict() {
                        Some(gone) => {
                            prop_assert!(!pinned.contains(&gone));
                            prop_assert!(sizes.remove(&gone).is_some());
                        }
                        None => prop_assert!(sizes.keys().all(|block| pinned.contains(block))),
                    },
                    Step::Pin(list) => {
                        pinned = list.into_iter().map(block).collect();
                        index.replace_pins(pinned.clone());
                    }
                }
                prop_assert_eq!(index.bytes(), sizes.values().sum::<u64>());
                prop_assert_eq!(index.len(), sizes.len());
                let here = sizes.iter().filter(|(block, _)| pinned.contains(block));
                prop_assert_eq!(index.pinned_here().bytes, here.map(|(_, bytes)| bytes).sum::<u64>());
            }
            index.replace_pins(HashSet::new());
            while index.evict().is_some() {}
            prop_assert_eq!((index.bytes(), index.small_bytes, index.aside_bytes, index.len()), (0, 0, 0, 0));
        }
    }
}
