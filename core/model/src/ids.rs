//! Newtypes for the numbers of the format, so that no signature mixes two of them up.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Inode number (spec 20-model section 1).
    Ino(u64)
}
number! {
    /// Volume-wide unique slice id; 0 marks a hole.
    SliceId(u64)
}
number! {
    /// Number of a client session.
    SessionId(u64)
}
number! {
    /// Index of a 64 MiB chunk inside a file.
    ChunkIndex(u32)
}
number! {
    /// Lock owner chosen by the client.
    LockOwner(u64)
}
number! {
    /// User id.
    Uid(u32)
}
number! {
    /// Group id.
    Gid(u32)
}
number! {
    /// Id of a stored ACL rule; 0 means none.
    AclId(u32)
}
number! {
    /// Row of the tier table; 0 is the default tier.
    TierId(u8)
}

impl Ino {
    /// The value that says "parents are tracked separately" in an attribute.
    pub const NONE: Ino = Ino(0);
    /// The root directory.
    pub const ROOT: Ino = Ino(1);
    /// Smallest internal (virtual) inode.
    pub const INTERNAL: Ino = Ino(0x7FFF_FFFF_0000_0000);
    /// The trash root directory.
    pub const TRASH: Ino = Ino(0x7FFF_FFFF_1000_0000);

    /// Whether this directory is the trash root or one of its hourly directories.
    pub fn is_trash(self) -> bool {
        self >= Ino::TRASH
    }

    /// Whether this is one of the virtual files of a mount.
    pub fn is_internal(self) -> bool {
        self >= Ino::INTERNAL && self < Ino::TRASH
    }
}

impl SliceId {
    /// The id of a hole record.
    pub const HOLE: SliceId = SliceId(0);
}

impl ChunkIndex {
    /// The chunk that holds this file offset; `None` when the offset is beyond the format's limit.
    pub fn of(offset: u64) -> Option<ChunkIndex> {
        u32::try_from(offset / crate::CHUNK_SIZE).ok().map(ChunkIndex)
    }

    /// File offset of the first byte of this chunk.
    pub fn start(self) -> u64 {
        u64::from(self.0) * crate::CHUNK_SIZE
    }
}

impl Uid {
    /// The superuser.
    pub const ROOT: Uid = Uid(0);
}
