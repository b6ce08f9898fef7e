//! What a door asks for, beyond plain arguments.

use std::fmt;
use std::sync::Arc;

use moorage_model::{Flags, Gid, LockOwner, NodeType, RecordLockKind, Timestamp, Uid};

/// A time to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The current instant of this client.
    Now,
    /// This instant; before 1970 it means now (spec 70-semantics section 5).
    At(Timestamp),
}

/// Attributes to change; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttrRequest {
    /// The 12 permission bits.
    pub mode: Option<u16>,
    /// Owner.
    pub uid: Option<Uid>,
    /// Group.
    pub gid: Option<Gid>,
    /// Length in bytes: truncates or extends.
    pub size: Option<u64>,
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last change of content.
    pub mtime: Option<SetTime>,
    /// Last change of attributes.
    pub ctime: Option<SetTime>,
    /// Flag bits.
    pub flags: Option<Flags>,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Every write goes to the end of the file.
    pub append: bool,
    /// The file is emptied.
    pub truncate: bool,
    /// A create fails when the name exists.
    pub exclusive: bool,
    /// The caller wants no page cache.
    pub direct: bool,
}

/// Where written bytes come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOrigin {
    /// Pages that a memory mapping changed. They stay at their offset, also with a handle that appends: a kernel writes
    /// mapped pages through any handle that can write.
    pub mapped: bool,
    /// A caller who may not keep the set-id bits of the file.
    pub drops_set_id: bool,
    /// A program that asked for the end of the file with this one write; the offset says nothing, as with a handle that
    /// appends.
    pub at_end: bool,
}

/// A node to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewNode {
    /// Kind; directories and symlinks have verbs of their own.
    pub kind: NodeType,
    /// Permission bits before the umask.
    pub mode: u16,
    /// Bits to take away, ignored where a default ACL rules.
    pub umask: u16,
    /// Device number as the kernel delivers it.
    pub rdev: u32,
}

/// How a rename treats an existing target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameFlags {
    /// An existing target is an error.
    pub no_replace: bool,
    /// Source and target change places.
    pub exchange: bool,
}

/// What fallocate does with a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FallocateMode {
    /// The length stays.
    pub keep_size: bool,
    /// The range reads as zeros; needs `keep_size`.
    pub punch_hole: bool,
    /// The range reads as zeros.
    pub zero_range: bool,
}

/// What to look for behind an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekTarget {
    /// Written bytes.
    Data,
    /// A hole, or the end of the file.
    Hole,
}

/// Whether setting an extended attribute may create or replace it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetXattrMode {
    /// Either.
    #[default]
    Any,
    /// It must not exist.
    Create,
    /// It must exist.
    Replace,
}

/// A range of a POSIX lock request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRange {
    /// First byte.
    pub start: u64,
    /// Last byte, inclusive; [`moorage_model::RecordLock::TO_END`] is "to end of file".
    pub end: u64,
}

/// A POSIX lock to be set or, without a kind, dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLockRequest {
    /// Who holds it, as the kernel names owners.
    pub owner: LockOwner,
    /// Process to name in answers to others.
    pub pid: u32,
    /// Kind; `None` unlocks.
    pub kind: Option<RecordLockKind>,
    /// The range.
    pub range: LockRange,
}

/// Whether a lock request waits for its turn.
#[derive(Clone)]
pub enum LockWait {
    /// Answers `WouldBlock` at once.
    No,
    /// Waits until the lock is granted, or until the function says that the caller no longer wants it: the answer is
    /// `Interrupted` then. It is asked at least ten times a second while the request waits, never before.
    UntilInterrupted(Arc<dyn Fn() -> bool + Send + Sync>),
}

impl fmt::Debug for LockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockWait::No => "No",
            LockWait::UntilInterrupted(_) => "UntilInterrupted(..)",
        })
    }
}
