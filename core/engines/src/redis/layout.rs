//! Names of keys and fields (spec 30-redis section 2).

use moorage_meta::Scan;
use moorage_model::{ChunkIndex, Counter, Ino, LockOwner, QuotaKey, SessionId};

/// The names of one volume.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// In front of every key: a hash tag on a cluster, else empty.
    pub(super) prefix: String,
}

impl Layout {
    pub(super) fn key(&self, name: &str) -> Vec<u8> {
        format!("{}{name}", self.prefix).into_bytes()
    }

    pub(super) fn numbered(&self, letter: &str, number: u64) -> Vec<u8> {
        format!("{}{letter}{number}", self.prefix).into_bytes()
    }

    pub(super) fn node(&self, ino: Ino) -> Vec<u8> {
        self.numbered("i", ino.0)
    }

    pub(super) fn directory(&self, ino: Ino) -> Vec<u8> {
        self.numbered("d", ino.0)
    }

    pub(super) fn chunk(&self, ino: Ino, index: ChunkIndex) -> Vec<u8> {
        format!("{}c{ino}_{index}", self.prefix).into_bytes()
    }

    /// The allocation counters of the original are in lower case here.
    pub(super) fn counter(&self, counter: Counter) -> Vec<u8> {
        let name = match counter {
            Counter::NextInode => "nextinode",
            Counter::NextChunk => "nextchunk",
            Counter::NextSession => "nextsession",
            other => other.name(),
        };
        self.key(name)
    }

    /// The hash that a range of one inode is.
    pub(super) fn hash_of(&self, range: &Scan) -> Option<Vec<u8>> {
        match range {
            Scan::Edges(directory) => Some(self.directory(*directory)),
            Scan::Xattrs(ino) => Some(self.numbered("x", ino.0)),
            Scan::FileLocks(ino) => Some(self.numbered("lockf", ino.0)),
            Scan::RecordLocks(ino) => Some(self.numbered("lockp", ino.0)),
            _ => None,
        }
    }

    pub(super) fn lock_owner(sid: SessionId, owner: LockOwner) -> Vec<u8> {
        format!("{sid}_{:016X}", owner.0).into_bytes()
    }

    /// First word of the hashes of a quota, and its field.
    pub(super) fn quota(key: QuotaKey) -> (&'static str, String) {
        match key {
            QuotaKey::Directory(ino) => ("dir", ino.to_string()),
            QuotaKey::User(uid) => ("user", uid.to_string()),
            QuotaKey::Group(gid) => ("group", gid.to_string()),
        }
    }
}
