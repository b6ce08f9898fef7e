//! What the side asks of an operating system: an open folder, and what is done to a name in it without following a link.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{ABILITIES, OpenFolder, finish_file, is_circle, joined, node_of};
#[cfg(windows)]
pub(super) use windows::{ABILITIES, OpenFolder, finish_file, is_circle, joined, node_of};

use std::io;

use crate::{Entry, Kind, Permissions, RelativePath, Version};

/// What a name leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) version: Version,
    /// None where the system has others than those of Unix.
    pub(super) permissions: Option<Permissions>,
    /// Device and number.
    pub(super) identity: (u64, u64),
}

impl Node {
    pub(super) fn entry(&self, path: RelativePath) -> Entry {
        Entry {
            path,
            kind: self.kind,
            version: self.version,
            permissions: self.permissions,
        }
    }
}

/// What is done about a link that a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// The link itself is meant.
    Itself,
    /// What it leads to.
    Target,
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Whether a step of a path is something else than a folder, such as a link.
pub(super) fn is_no_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotADirectory || is_circle(error)
}

pub(super) fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}
