//! Attributes of directories as this client stored them last.
//!
//! A kernel that made an entry asks for the attributes of the directory again, since they changed. The client knows them:
//! it stored them a moment ago. Without this, every change of a directory in a server costs a round trip more.
//!
//! What is known is never older than a change of this client: a directory that it is changing is unknown until the change
//! ended, and one that several changes overlapped on stays unknown, since their order is not known here.

use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Attr, Ino};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::Meta;

/// Directories known at once, some 40 KiB of them: those of the programs that are at work now. Of one whose place
/// another took nothing is known, which costs a read.
const PLACES: usize = 256;

/// One directory, and what is known of it.
#[derive(Debug, Default)]
struct Place {
    ino: Ino,
    /// Its attributes, and a moment after which they were current.
    known: Option<(Attr, Instant)>,
    /// Changes of it by this client that have not ended.
    changing: u32,
    /// Several of them were under way at once.
    overlapped: bool,
}

/// What this client stored of directories, in places by inode.
#[derive(Debug)]
pub(crate) struct StoredDirectories {
    places: Box<[Mutex<Place>]>,
}

impl Default for StoredDirectories {
    fn default() -> StoredDirectories {
        StoredDirectories {
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }
}

impl StoredDirectories {
    /// The attributes, and how old they are at most. One short lock.
    fn get(&self, ino: Ino) -> Option<(Attr, Duration)> {
        let place = self.place(ino)?.lock();
        let (attr, since) = place.known.as_ref().filter(|_| place.ino == ino)?;
        Some((attr.clone(), since.elapsed()))
    }

    /// Forgets what differs from attributes that somebody was told.
    fn keep_only(&self, ino: Ino, attr: &Attr) {
        let Some(place) = self.place(ino) else { return };
        let mut place = place.lock();
        if place.ino == ino && place.known.as_ref().is_some_and(|(known, _)| known != attr) {
            place.known = None;
        }
    }

    /// A change is about to be committed, which stores a directory or removes a node. `false` when the place is taken by
    /// another directory that is changing, so that nothing will be known of this one, and when nothing has to be
    /// forgotten of a removed node.
    fn begin(&self, ino: Ino, removed: bool) -> bool {
        let Some(place) = self.place(ino) else {
            return false;
        };
        let mut place = place.lock();
        if removed && place.ino != ino {
            return false;
        }
        if place.changing == 0 {
            *place = Place {
                ino,
                ..Place::default()
            };
        }
        if place.ino != ino {
            return false;
        }
        place.changing = place.changing.saturating_add(1);
        place.overlapped |= place.changing > 1;
        true
    }

    /// A change that [`StoredDirectories::begin`] noted has ended; with the attributes that it stored, if it is known to
    /// have stored them, and when it began.
    fn end(&self, ino: Ino, stored: Option<(Attr, Instant)>) {
        let Some(place) = self.place(ino) else { return };
        let mut place = place.lock();
        place.changing = place.changing.saturating_sub(1);
        if place.changing == 0 {
            place.known = stored.filter(|_| !place.overlapped);
            place.overlapped = false;
        }
    }

    fn place(&self, ino: Ino) -> Option<&Mutex<Place>> {
        self.places.get((ino.0 % PLACES as u64) as usize)
    }
}

/// The directories that one run of a transaction changes; unknown until this is dropped, and known after
/// [`ChangingDirectories::committed`].
#[derive(Debug)]
pub(crate) struct ChangingDirectories {
    meta: Arc<Meta>,
    /// With what is stored of them, `None` where they are removed.
    changes: Vec<(Ino, Option<Attr>)>,
    began: Instant,
}

impl ChangingDirectories {
    /// To be called when a run has decided what it changes, before anything of it can be committed. One short lock for
    /// each directory, usually one.
    pub(crate) fn begin(meta: &Arc<Meta>, mut changes: Vec<(Ino, Option<Attr>)>) -> ChangingDirectories {
        let directories = &meta.caches.directories;
        changes.retain(|(ino, stored)| directories.begin(*ino, stored.is_none()));
        ChangingDirectories {
            meta: Arc::clone(meta),
            changes,
            began: Instant::now(),
        }
    }

    /// The changes are stored.
    pub(crate) fn committed(mut self) {
        for (ino, stored) in std::mem::take(&mut self.changes) {
            let stored = stored.map(|attr| (attr, self.began));
            self.meta.caches.directories.end(ino, stored);
        }
    }
}

impl Drop for ChangingDirectories {
    fn drop(&mut self) {
        for (ino, _) in &self.changes {
            self.meta.caches.directories.end(*ino, None);
        }
    }
}

impl Meta {
    /// Attributes of a directory as this client stored them, and how much of `lifetime` is left of them; `None` when they
    /// are not known, or were stored before that. Other clients may have changed them since. Nothing is read.
    pub fn stored_directory(&self, ino: Ino, lifetime: Duration) -> Option<(Attr, Duration)> {
        let (attr, age) = self.caches.directories.get(ino)?;
        let left = lifetime.checked_sub(age).filter(|left| !left.is_zero())?;
        Some((attr, left))
    }

    /// Somebody was told these attributes of a directory: older ones that [`Meta::stored_directory`] would give are
    /// forgotten. One short lock.
    pub fn told_directory(&self, ino: Ino, attr: &Attr) {
        self.caches.directories.keep_only(ino, attr);
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::{Gid, NodeType, Timestamp, Uid};

    use super::*;

    fn attributes(nlink: u32) -> Attr {
        let mut attr = Attr::new(
            NodeType::Directory,
            0o755,
            Uid(0),
            Gid(0),
            Timestamp::new(1, 0),
            Ino::ROOT,
        );
        attr.nlink = nlink;
        attr
    }

    fn links(directories: &StoredDirectories, ino: Ino) -> Option<u32> {
        directories.get(ino).map(|(attr, _)| attr.nlink)
    }

    fn stored(nlink: u32) -> Option<(Attr, Instant)> {
        Some((attributes(nlink), Instant::now()))
    }

    #[test]
    fn a_directory_is_known_once_its_change_has_ended() {
        let directories = StoredDirectories::default();
        assert!(directories.begin(Ino(5), false));
        assert_eq!(links(&directories, Ino(5)), None);
        directories.end(Ino(5), stored(3));
        assert_eq!(links(&directories, Ino(5)), Some(3));
        assert!(directories.begin(Ino(5), false));
        assert_eq!(links(&directories, Ino(5)), None, "it is changing");
        directories.end(Ino(5), None);
        assert_eq!(
            links(&directories, Ino(5)),
            None,
            "whether it changed is not known"
        );
    }

    #[test]
    fn overlapping_changes_leave_a_directory_unknown() {
        let directories = StoredDirectories::default();
        assert!(directories.begin(Ino(5), false) && directories.begin(Ino(5), false));
        directories.end(Ino(5), stored(4));
        directories.end(Ino(5), stored(3));
        assert_eq!(links(&directories, Ino(5)), None);
        assert!(directories.begin(Ino(5), false));
        directories.end(Ino(5), stored(5));
        assert_eq!(links(&directories, Ino(5)), Some(5));
    }

    #[test]
    fn two_directories_of_one_place_are_not_mixed_up() {
        let (one, other) = (Ino(5), Ino(5 + PLACES as u64));
        let directories = StoredDirectories::default();
        assert!(directories.begin(one, false));
        assert!(!directories.begin(other, false));
        directories.end(one, stored(3));
        assert_eq!(
            (links(&directories, one), links(&directories, other)),
            (Some(3), None)
        );
        assert!(directories.begin(other, false));
        directories.end(other, stored(7));
        assert_eq!(
            (links(&directories, one), links(&directories, other)),
            (None, Some(7))
        );
    }

    #[test]
    fn a_removed_file_costs_no_directory_its_place() {
        let directories = StoredDirectories::default();
        assert!(directories.begin(Ino(5), false));
        directories.end(Ino(5), stored(3));
        assert!(!directories.begin(Ino(5 + PLACES as u64), true));
        assert_eq!(links(&directories, Ino(5)), Some(3));
        assert!(directories.begin(Ino(5), true));
        directories.end(Ino(5), None);
        assert_eq!(links(&directories, Ino(5)), None);
    }

    #[test]
    fn what_differs_from_what_was_told_is_forgotten() {
        let directories = StoredDirectories::default();
        assert!(directories.begin(Ino(5), false));
        directories.end(Ino(5), stored(3));
        directories.keep_only(Ino(5), &attributes(3));
        assert_eq!(links(&directories, Ino(5)), Some(3));
        directories.keep_only(Ino(5), &attributes(4));
        assert_eq!(links(&directories, Ino(5)), None);
    }
}
