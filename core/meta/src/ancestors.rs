//! The chain of directories above a node.

use moorage_model::{Attr, Error, ErrorKind, Ino, Result};
use quick_cache::sync::Cache;

use crate::{Key, Meta, Read, Txn, TxnExt as _};

/// Directories whose parent is remembered as a guess.
const REMEMBERED_PARENTS: usize = 65_536;
/// Directories read at once along a guessed chain.
const CHAIN_BATCH: usize = 256;
/// Directories above each other; more can only be a loop. Paths of the kernel end at 4096 bytes, but renames can
/// nest deeper.
const MAX_DEPTH: usize = 100_000;

/// Parents of directories as last seen. Only a guess of what to read in one round trip; the attributes decide.
#[derive(Debug)]
pub(crate) struct ParentGuesses(Cache<Ino, Ino>);

impl Default for ParentGuesses {
    fn default() -> Self {
        ParentGuesses(Cache::new(REMEMBERED_PARENTS))
    }
}

impl ParentGuesses {
    /// The directory and those above it, as far as they are remembered.
    pub(crate) fn chain(&self, start: Ino) -> Vec<Ino> {
        let mut chain = vec![start];
        let mut current = start;
        while !is_top(current) && chain.len() < CHAIN_BATCH {
            let Some(parent) = self.0.get(&current) else { break };
            chain.push(parent);
            current = parent;
        }
        chain
    }

    fn note(&self, directory: Ino, parent: Ino) {
        self.0.insert(directory, parent);
    }
}

/// Whether nothing is above: the root, the trash and its hours, or no node at all.
fn is_top(ino: Ino) -> bool {
    ino == Ino::ROOT || ino == Ino::NONE || ino.is_trash()
}

impl Meta {
    /// The directory and everything above it up to the root or a trash directory, from below. A chain that leads
    /// to a missing node ends there.
    ///
    /// One round trip when the parents are remembered rightly, else one per wrong guess. Plain reads: the answer
    /// may be stale, [`Meta::lock_ancestors`] is for decisions.
    ///
    /// # Errors
    /// `Corrupt` when the directories form a loop.
    pub(crate) async fn ancestors(&self, reader: &(impl Read + ?Sized), directory: Ino) -> Result<Vec<Ino>> {
        let mut chain: Vec<Ino> = Vec::new();
        let mut current = directory;
        loop {
            if is_top(current) {
                chain.extend((current != Ino::NONE).then_some(current));
                return Ok(chain);
            }
            let guess: Vec<Ino> = self
                .caches
                .parents
                .chain(current)
                .into_iter()
                .filter(|ino| !is_top(*ino))
                .collect();
            let keys: Vec<Key> = guess.iter().map(|ino| Key::Node(*ino)).collect();
            let mut nodes = reader.get(&keys).await?;
            for ino in guess {
                if ino != current {
                    break;
                }
                let Some(attr) = nodes.node()? else {
                    return Ok(chain);
                };
                self.caches.parents.note(ino, attr.parent);
                chain.push(ino);
                current = attr.parent;
            }
            if chain.len() > MAX_DEPTH {
                return Err(looped(directory));
            }
        }
    }

    /// As [`Meta::ancestors`], with every directory of the chain locked but the one it ends with, so that none of them
    /// moves before the transaction commits.
    ///
    /// # Errors
    /// `NotFound` when the chain leads to a missing node, `Corrupt` for a loop.
    pub(crate) async fn lock_ancestors(&self, txn: &mut dyn Txn, directory: Ino) -> Result<Vec<Ino>> {
        let mut start = directory;
        let mut chain: Vec<Ino> = Vec::new();
        while !is_top(start) {
            let guess = self.ancestors(&*txn, start).await?;
            let guess: Vec<Ino> = guess.into_iter().filter(|ino| !is_top(*ino)).collect();
            let keys: Vec<Key> = guess.iter().map(|ino| Key::Node(*ino)).collect();
            let mut nodes = txn.get_locked(&keys).await?;
            for ino in guess {
                if ino != start {
                    break;
                }
                let attr: Attr = nodes.node()?.ok_or(ErrorKind::NotFound)?;
                chain.push(ino);
                start = attr.parent;
            }
            if chain.len() > MAX_DEPTH {
                return Err(looped(directory));
            }
        }
        chain.push(start);
        Ok(chain)
    }
}

fn looped(directory: Ino) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the directories above inode {directory} form a loop"),
    )
    .with_advice("Run `moorage fsck --repair`.")
}
