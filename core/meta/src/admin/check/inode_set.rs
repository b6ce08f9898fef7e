//! A set of inode numbers that are mostly dense.

use std::collections::HashMap;

use moorage_model::Ino;

/// Inode numbers per page; clients allocate them in batches of this size.
const PAGE_BITS: u64 = 1024;
/// Words of a page.
const WORDS: usize = 16;

/// A paged bitmap: about 0.2 MB per million numbers of full batches, at worst 180 bytes for a number on its own.
#[derive(Debug, Default)]
pub(crate) struct InodeSet(HashMap<u64, Box<[u64; WORDS]>>);

impl InodeSet {
    /// Adds a number; `false` when it was there.
    pub(crate) fn insert(&mut self, ino: Ino) -> bool {
        let (page, word, bit) = place(ino);
        let page = self.0.entry(page).or_insert_with(|| Box::new([0; WORDS]));
        match page.get_mut(word) {
            Some(word) => {
                let fresh = *word & bit == 0;
                *word |= bit;
                fresh
            }
            None => false,
        }
    }

    pub(super) fn contains(&self, ino: Ino) -> bool {
        let (page, word, bit) = place(ino);
        self.0
            .get(&page)
            .and_then(|page| page.get(word))
            .is_some_and(|word| word & bit != 0)
    }
}

fn place(ino: Ino) -> (u64, usize, u64) {
    let bit = ino.0 % PAGE_BITS;
    (ino.0 / PAGE_BITS, (bit / 64) as usize, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart_across_words_and_pages() {
        let mut set = InodeSet::default();
        let numbers = [0, 1, 63, 64, 1023, 1024, 1 << 40, u64::MAX];
        for number in numbers {
            assert!(!set.contains(Ino(number)));
            assert!(set.insert(Ino(number)));
            assert!(!set.insert(Ino(number)), "{number} is there already");
        }
        assert!(numbers.iter().all(|number| set.contains(Ino(*number))));
        assert!(!set.contains(Ino(2)));
    }
}
