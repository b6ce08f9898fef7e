//! Changes of the last moments.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use moorage_meta::Changed;
use moorage_model::Ino;
use parking_lot::Mutex;

/// Changes remembered one by one, 64 KiB of them: more than come in during a request. One that takes longer is told
/// that everything may have changed.
const MAX_RECENT: usize = 4096;

/// When a request was asked, in changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(u64);

impl Asked {
    /// Where nothing is told of changes.
    pub(super) const NEVER: Asked = Asked(0);

    /// Whether [`crate::Vfs::answered`] has to hear of the answer.
    pub fn matters(self) -> bool {
        self != Asked::NEVER
    }
}

/// The changes, numbered.
#[derive(Debug)]
pub(super) struct Recent {
    /// Number of the next one; above 0, which means never.
    next: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// With their numbers.
    nodes: VecDeque<(u64, Ino)>,
    /// Up to this number nothing is known one by one.
    unknown: u64,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent {
            next: AtomicU64::new(1),
            last: Mutex::default(),
        }
    }
}

impl Recent {
    pub(super) fn now(&self) -> Asked {
        Asked(self.next.load(Ordering::Acquire))
    }

    /// Notes changes, before the kernel is told of them.
    pub(super) fn note(&self, changed: &Changed) {
        let mut last = self.last.lock();
        // Changed under the lock only.
        let number = self.next.load(Ordering::Acquire);
        match changed {
            Changed::Nodes(nodes) if nodes.len() <= MAX_RECENT => {
                last.nodes.extend(nodes.iter().map(|ino| (number, *ino)));
                while last.nodes.len() > MAX_RECENT
                    && let Some((oldest, _)) = last.nodes.pop_front()
                {
                    last.unknown = oldest;
                }
            }
            _ => {
                last.nodes.clear();
                last.unknown = number;
            }
        }
        self.next.store(number + 1, Ordering::Release);
    }

    /// What was noted since; `None` when that is nothing.
    pub(super) fn since(&self, asked: Asked) -> Option<Changed> {
        if self.now() == asked {
            return None;
        }
        let last = self.last.lock();
        if last.unknown >= asked.0 {
            return Some(Changed::Everything);
        }
        let later = last
            .nodes
            .iter()
            .rev()
            .take_while(|(number, _)| *number >= asked.0);
        let nodes: Vec<Ino> = later.map(|(_, ino)| *ino).collect();
        (!nodes.is_empty()).then_some(Changed::Nodes(nodes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(numbers: impl IntoIterator<Item = u64>) -> Changed {
        Changed::Nodes(numbers.into_iter().map(Ino).collect())
    }

    #[test]
    fn a_request_hears_of_what_changed_after_it_was_asked() {
        let recent = Recent::default();
        recent.note(&nodes([1]));
        let asked = recent.now();
        assert_eq!(recent.since(asked), None);
        recent.note(&nodes([2, 3]));
        assert_eq!(recent.since(asked), Some(nodes([3, 2])));
        assert_eq!(recent.since(recent.now()), None);
    }

    #[test]
    fn a_request_that_took_too_long_hears_of_everything() {
        let recent = Recent::default();
        let asked = recent.now();
        for number in 0..=MAX_RECENT as u64 {
            recent.note(&nodes([number]));
        }
        assert_eq!(recent.since(asked), Some(Changed::Everything));
    }

    #[test]
    fn missed_changes_concern_every_request_under_way_and_no_later_one() {
        let recent = Recent::default();
        let asked = recent.now();
        recent.note(&Changed::Everything);
        let later = recent.now();
        recent.note(&nodes([5]));
        assert_eq!(recent.since(asked), Some(Changed::Everything));
        assert_eq!(recent.since(later), Some(nodes([5])));
    }
}
