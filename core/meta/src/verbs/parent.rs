//! A directory whose entries a verb changes: its link count and times.

use std::time::Duration;

use moorage_model::{Attr, ErrorKind, Ino, Name, NodeType, Result, Timestamp};

use crate::{Key, Meta, Record, Txn};

/// Name of the trash in the root, reserved on every volume.
pub(crate) const TRASH_ENTRY: &[u8] = b".trash";

/// A locked directory and what happens to its sub-directories.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) ino: Ino,
    pub(super) attr: Attr,
    links: i64,
}

impl Parent {
    pub(super) fn new(ino: Ino, attr: Attr) -> Parent {
        Parent { ino, attr, links: 0 }
    }

    /// An entry of this kind appears.
    pub(super) fn gain(&mut self, kind: NodeType) {
        self.links += i64::from(kind == NodeType::Directory);
    }

    /// An entry of this kind goes.
    pub(super) fn lose(&mut self, kind: NodeType) {
        self.links -= i64::from(kind == NodeType::Directory);
    }

    /// Stores times and link count. The times of a directory that changed a moment ago stay as they are unless its
    /// link count changes (spec 70-semantics section 5); trash directories keep theirs always. Returns whether the
    /// directory was written.
    pub(super) fn store(mut self, meta: &Meta, txn: &mut dyn Txn, now: Timestamp) -> bool {
        let due = self.links != 0 || is_due(now, self.attr.mtime, meta.options.skip_dir_mtime);
        if self.ino.is_trash() || !due {
            return false;
        }
        let links = i64::from(self.attr.nlink).saturating_add(self.links);
        self.attr.nlink = u32::try_from(links.max(0)).unwrap_or(u32::MAX);
        self.attr.mtime = now;
        self.attr.ctime = now;
        txn.put(Key::Node(self.ino), Record::Node(self.attr));
        true
    }
}

impl Meta {
    /// Stores a locked directory that gained an entry of this kind.
    pub(crate) fn touch_directory(&self, txn: &mut dyn Txn, ino: Ino, attr: Attr, gained: NodeType) {
        let mut parent = Parent::new(ino, attr);
        parent.gain(gained);
        parent.store(self, txn, self.now());
    }
}

/// Whether a directory changed at `mtime` shows a change made `now`. A time ahead of the clock was set by somebody and
/// says nothing about a recent change.
fn is_due(now: Timestamp, mtime: Timestamp, skip: Duration) -> bool {
    now.since(mtime).is_none_or(|age| age >= skip)
}

/// Refuses the name of the trash in the root.
///
/// # Errors
/// `NotPermitted`.
pub(super) fn check_reserved(parent: Ino, name: &Name) -> Result<()> {
    if parent == Ino::ROOT && name.as_bytes() == TRASH_ENTRY {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_younger_than_the_limit_are_left_alone() {
        let skip = Duration::from_millis(100);
        let now = Timestamp::new(10, 500_000_000);
        assert!(!is_due(now, Timestamp::new(10, 400_000_001), skip));
        assert!(is_due(now, Timestamp::new(10, 400_000_000), skip));
        assert!(
            is_due(now, Timestamp::new(11, 0), skip),
            "a time ahead of the clock was set by somebody"
        );
        assert!(is_due(now, now, Duration::ZERO));
    }
}
