//! Numbers of commits, by which a server tells a commit that it applied from one that never arrived.
//!
//! A connection may break after a commit was sent and before its answer came. Every commit therefore leaves its number
//! in a key of this client, in the same script, and is sent again until it is answered: a server that finds the number
//! there says so instead of applying it twice, and a copy that was still on its way finds a later number and changes
//! nothing. One key can not serve commits that run side by side, so each takes one of a few places for as long as it
//! lasts. The keys are no part of the format; they expire.

use std::sync::Arc;

use parking_lot::Mutex;
use rand::RngExt as _;

use super::layout::Layout;

/// First words of the keys, after the hash tag.
pub(super) const TOKEN_NAME: &str = "moorageCommit:";

/// Hands out tokens.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    /// Tells the keys of this client from those of others.
    client: u64,
    free: Arc<Mutex<Free>>,
}

#[derive(Debug, Default)]
struct Free {
    /// Places that nobody holds, with the next number of each.
    places: Vec<(u64, u64)>,
    /// Places handed out so far.
    made: u64,
}

impl Tokens {
    pub(super) fn new() -> Tokens {
        Tokens {
            client: rand::rng().random(),
            free: Arc::default(),
        }
    }

    /// The token of one commit.
    pub(super) fn take(&self, layout: &Layout) -> Token {
        let mut free = self.free.lock();
        let (place, number) = free.places.pop().unwrap_or_else(|| {
            free.made += 1;
            (free.made, 1)
        });
        Token {
            key: layout.key(&format!("{TOKEN_NAME}{:016x}:{place}", self.client)),
            number,
            place,
            free: Arc::clone(&self.free),
        }
    }
}

/// Key and number of one commit. The place is free again when it is dropped; the next commit there has a higher number,
/// so that one given up half-way can not come after it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) key: Vec<u8>,
    /// The number after it means that this commit was refused.
    pub(super) number: u64,
    place: u64,
    free: Arc<Mutex<Free>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.free.lock().places.push((self.place, self.number + 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_side_by_side_have_keys_of_their_own_and_later_ones_higher_numbers() {
        let tokens = Tokens::new();
        let layout = Layout::default();
        let (first, second) = (tokens.take(&layout), tokens.take(&layout));
        assert_ne!(first.key, second.key);
        let (key, number) = (first.key.clone(), first.number);
        drop(first);
        let third = tokens.take(&layout);
        assert_eq!(third.key, key);
        assert!(third.number > number + 1, "the number between means refused");
        drop(second);
    }
}
