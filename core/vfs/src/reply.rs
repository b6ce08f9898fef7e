//! What the door answers: plain types, inode numbers as the mount shows them.

use std::time::Duration;

use moorage_model::{Attr, Ino, NodeType};

/// Identifies an open file or directory of one [`crate::Vfs`]. Never reused while the process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileHandle(pub u64);

/// A node found or made under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryReply {
    /// Its inode.
    pub ino: Ino,
    /// Its attributes.
    pub attr: Attr,
    /// How long the attributes may be cached.
    pub attr_ttl: Duration,
    /// How long the name may be cached.
    pub entry_ttl: Duration,
}

/// Attributes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttrReply {
    /// Its inode.
    pub ino: Ino,
    /// Its attributes; the length counts what open writers of this client have not stored yet.
    pub attr: Attr,
    /// How long they may be cached.
    pub ttl: Duration,
}

/// An opened file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenReply {
    /// The handle of later requests.
    pub handle: FileHandle,
    /// The content is what the last open saw: cached pages and listings stay valid.
    pub keep_cache: bool,
    /// Requests must not go through a page cache.
    pub direct_io: bool,
}

/// One entry of a directory listing.
#[derive(Clone, Debug, PartialEq)]
pub struct DirItem<'a> {
    /// Name, raw bytes; `.` and `..` included.
    pub name: &'a [u8],
    /// Inode it points to.
    pub ino: Ino,
    /// Kind of that node.
    pub kind: NodeType,
    /// The offset to continue behind this entry.
    pub next_cookie: u64,
    /// Attributes, when asked for and present; never for `.` and `..`.
    pub entry: Option<EntryReply>,
}

/// Sizes of the volume, of the nearest quota when one limits the mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatFsReply {
    /// Bytes of one block in the counts below: 4096.
    pub block_size: u32,
    /// All blocks.
    pub blocks: u64,
    /// Blocks that can still be used.
    pub blocks_free: u64,
    /// Nodes in use and free.
    pub files: u64,
    /// Nodes that can still be made.
    pub files_free: u64,
    /// Largest name in bytes.
    pub name_max: u32,
}

/// Bytes of one unit of `st_blocks` (POSIX).
const STAT_BLOCK_BYTES: u64 = 512;
/// Preferred I/O size that a mount shows, bytes (spec 70-semantics section 7).
pub const PREFERRED_IO_BYTES: u32 = 65_536;

/// Size and number of 512-byte blocks as a mount shows them: holes are not considered, pipes, sockets and devices
/// have size 0 (spec 70-semantics section 7).
pub fn shown_size(attr: &Attr) -> (u64, u64) {
    match attr.kind {
        NodeType::File | NodeType::Directory | NodeType::Symlink => {
            (attr.length, attr.length.div_ceil(STAT_BLOCK_BYTES))
        }
        NodeType::Fifo | NodeType::BlockDevice | NodeType::CharDevice | NodeType::Socket => (0, 0),
    }
}
