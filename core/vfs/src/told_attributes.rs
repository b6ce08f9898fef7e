//! Which attributes a door was told last.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use moorage_model::{Attr, Ino};

/// Nodes remembered at once, 64 KiB of them. Of one whose place another node took nothing is known, which costs the door
/// one question more.
const PLACES: usize = 8192;

/// A digest of the last attributes of each node, so that an open can tell whether a kernel still caches old ones.
#[derive(Debug)]
pub(crate) struct ToldAttributes {
    places: Box<[AtomicU64]>,
}

impl Default for ToldAttributes {
    fn default() -> ToldAttributes {
        ToldAttributes {
            places: (0..PLACES).map(|_| AtomicU64::default()).collect(),
        }
    }
}

impl ToldAttributes {
    /// The door is being told these. One hash and one store.
    pub(crate) fn note(&self, ino: Ino, attr: &Attr) {
        if let Some(place) = self.place(ino) {
            place.store(digest(ino, attr), Relaxed);
        }
    }

    /// Whether the door was told these, and nothing else of the node since.
    pub(crate) fn are(&self, ino: Ino, attr: &Attr) -> bool {
        self.place(ino)
            .is_some_and(|place| place.load(Relaxed) == digest(ino, attr))
    }

    fn place(&self, ino: Ino) -> Option<&AtomicU64> {
        self.places.get((ino.0 % PLACES as u64) as usize)
    }
}

fn digest(ino: Ino, attr: &Attr) -> u64 {
    let mut hasher = DefaultHasher::new();
    (ino.0, attr.length, attr.mode, attr.nlink, attr.uid.0, attr.gid.0).hash(&mut hasher);
    for time in [attr.mtime, attr.ctime] {
        (time.seconds, time.nanoseconds).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use moorage_model::{Gid, NodeType, Timestamp, Uid};

    use super::*;

    #[test]
    fn only_the_last_attributes_of_a_node_count_as_told() {
        let told = ToldAttributes::default();
        let short = Attr::new(
            NodeType::File,
            0o644,
            Uid(0),
            Gid(0),
            Timestamp::new(1, 0),
            Ino::ROOT,
        );
        let mut long = short.clone();
        long.length = 7;
        assert!(!told.are(Ino(2), &short));
        told.note(Ino(2), &short);
        assert!(told.are(Ino(2), &short) && !told.are(Ino(2), &long));
        told.note(Ino(2), &long);
        assert!(told.are(Ino(2), &long) && !told.are(Ino(2), &short));
        told.note(Ino(2 + PLACES as u64), &short);
        assert!(!told.are(Ino(2), &long), "another node took its place");
    }
}
