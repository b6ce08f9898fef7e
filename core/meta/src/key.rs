//! Names of records and of ranges of records, independent of any engine's layout.

use moorage_model::{AclId, ChunkIndex, Counter, Ino, LockOwner, Name, QuotaKey, SessionId, SliceId};

/// Names one record. Engines map it to a row, a key or a hash field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The volume setting, JSON text.
    Setting,
    /// A counter's *logical* value: for allocation counters the next free id, whatever the engine stores.
    Counter(Counter),
    /// Attributes of a node.
    Node(Ino),
    /// Entry of a directory.
    Edge(Ino, Name),
    /// Target of a symlink.
    Symlink(Ino),
    /// Extended attribute by name.
    Xattr(Ino, Vec<u8>),
    /// Slice list of a chunk.
    Chunk(Ino, ChunkIndex),
    /// Owners of a slice (true owner count on every engine; see [`Record::Owners`]).
    SliceRef(SliceId, u32),
    /// Slices replaced by a compaction into this slice at this unix second.
    DelayedSlices(SliceId, i64),
    /// A client session.
    Session(SessionId),
    /// Unlinked inode that a session holds open.
    Sustained(SessionId, Ino),
    /// Deleted file whose data is still to be removed.
    DeletedFile(Ino, u64),
    /// BSD lock of one owner.
    FileLock(Ino, SessionId, LockOwner),
    /// POSIX locks of one owner.
    RecordLocks(Ino, SessionId, LockOwner),
    /// Statistics of a directory.
    DirStat(Ino),
    /// A quota.
    Quota(QuotaKey),
    /// Root of an unfinished clone.
    Detached(Ino),
    /// An ACL rule.
    Acl(AclId),
}

/// Names a range of records; pages follow the order of the engine's layout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scan {
    /// Entries of a directory by name bytes ([`Key::Edge`]).
    Edges(Ino),
    /// All entries of the volume.
    AllEdges,
    /// All nodes.
    AllNodes,
    /// Extended attributes of a node.
    Xattrs(Ino),
    /// Chunks of a file by index.
    Chunks(Ino),
    /// Chunks of all files.
    AllChunks,
    /// All slice reference counts that the engine stores.
    SliceRefs,
    /// Slices whose owners are 0 or less.
    DeadSlices,
    /// Delayed slices, oldest first where the engine can.
    DelayedSlices,
    /// All sessions.
    Sessions,
    /// Sustained inodes of a session.
    Sustained(SessionId),
    /// Sustained inodes of all sessions.
    AllSustained,
    /// Deleted files.
    DeletedFiles,
    /// BSD locks of an inode.
    FileLocks(Ino),
    /// POSIX locks of an inode.
    RecordLocks(Ino),
    /// BSD and POSIX locks of a session.
    SessionLocks(SessionId),
    /// All directory statistics.
    DirStats,
    /// All quotas of every kind.
    Quotas,
    /// Roots of unfinished clones.
    Detached,
    /// All ACL rules.
    Acls,
}
