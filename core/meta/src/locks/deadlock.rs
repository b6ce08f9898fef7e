//! Who waits for whom among the lock owners of this client.

use std::collections::{HashMap, HashSet};

use moorage_model::{Ino, LockOwner};

/// A request that waits, and the owners of this client that are in its way.
#[derive(Debug)]
struct Waiter {
    owner: LockOwner,
    ino: Ino,
    blockers: Vec<LockOwner>,
}

/// All waiting requests. An edge is there only while it is true: those on an inode go when a lock on it goes.
#[derive(Debug, Default)]
pub(super) struct WaitGraph {
    waiters: HashMap<u64, Waiter>,
}

impl WaitGraph {
    /// Notes that `owner` waits for `blockers`, unless one of them waits, directly or not, for `owner`.
    /// `false` is that deadlock, and the request is not noted.
    pub(super) fn wait(
        &mut self,
        request: u64,
        owner: LockOwner,
        ino: Ino,
        blockers: Vec<LockOwner>,
    ) -> bool {
        self.waiters.remove(&request);
        if self.leads_to(&blockers, owner) {
            return false;
        }
        let waiter = Waiter { owner, ino, blockers };
        self.waiters.insert(request, waiter);
        true
    }

    /// The request waits no more.
    pub(super) fn end(&mut self, request: u64) {
        self.waiters.remove(&request);
    }

    /// A lock on this inode was released: who still waits for whom there is unknown until they try again.
    pub(super) fn forget(&mut self, ino: Ino) {
        for waiter in self.waiters.values_mut().filter(|waiter| waiter.ino == ino) {
            waiter.blockers.clear();
        }
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    fn leads_to(&self, from: &[LockOwner], wanted: LockOwner) -> bool {
        let mut pending = from.to_vec();
        let mut seen: HashSet<LockOwner> = HashSet::new();
        while let Some(owner) = pending.pop() {
            if owner == wanted {
                return true;
            }
            if seen.insert(owner) {
                let waits_of_owner = self.waiters.values().filter(|waiter| waiter.owner == owner);
                pending.extend(waits_of_owner.flat_map(|waiter| &waiter.blockers));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Ino = Ino(7);

    fn owners(numbers: &[u64]) -> Vec<LockOwner> {
        numbers.iter().copied().map(LockOwner).collect()
    }

    #[test]
    fn a_circle_of_any_length_is_a_deadlock_and_a_chain_is_none() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, LockOwner(1), FILE, owners(&[2])));
        assert!(graph.wait(2, LockOwner(2), FILE, owners(&[3, 4])));
        assert!(graph.wait(3, LockOwner(4), FILE, owners(&[5])));
        assert!(!graph.wait(4, LockOwner(5), FILE, owners(&[1])));
        graph.end(2);
        assert!(graph.wait(4, LockOwner(5), FILE, owners(&[1])));
    }

    #[test]
    fn a_release_takes_the_edges_of_its_inode_away() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, LockOwner(1), FILE, owners(&[2])));
        graph.forget(Ino(8));
        assert!(!graph.wait(2, LockOwner(2), FILE, owners(&[1])));
        graph.forget(FILE);
        assert!(graph.wait(2, LockOwner(2), FILE, owners(&[1])));
    }

    #[test]
    fn a_request_that_tries_again_replaces_its_edges() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, LockOwner(1), FILE, owners(&[2])));
        assert!(graph.wait(1, LockOwner(1), FILE, owners(&[3])));
        assert!(graph.wait(2, LockOwner(2), FILE, owners(&[1])));
    }
}
