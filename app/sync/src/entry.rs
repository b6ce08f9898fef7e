//! What a side says about one name.

use moorage_model::{Gid, Timestamp, Uid};

use crate::RelativePath;

/// Kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file, or an object.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket or a device: nothing that can be copied.
    Special,
}

/// The permission bits and the owner of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The twelve bits.
    pub mode: u16,
    /// Owner.
    pub uid: Uid,
    /// Group.
    pub gid: Gid,
}

/// What tells one state of a node from another, on the same side only: clocks of two sides are never compared by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// Last change of content.
    pub modified: Timestamp,
    /// Last change of anything; `None` where the side does not know it.
    pub changed: Option<Timestamp>,
    /// Number of the node, which another node under the same name does not have; `None` where there is no such.
    pub node: Option<u64>,
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: RelativePath,
    /// What.
    pub kind: Kind,
    /// Its state.
    pub version: Version,
    /// Bits and owner, where the side has such.
    pub permissions: Option<Permissions>,
}

impl Entry {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// Bytes of its content.
    pub fn size(&self) -> u64 {
        self.version.size
    }

    /// Last change of its content.
    pub fn modified(&self) -> Timestamp {
        self.version.modified
    }
}
