//! Names of records and of ranges of records, independent of any engine's layout.

use std::fmt;

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
    /// A session as clients before 1.0 registered it; read and removed, never written.
    LegacySession(SessionId),
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
    /// A line of the changelog by its version.
    ChangelogLine(u64),
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
    /// Extended attributes of all nodes.
    AllXattrs,
    /// Chunks of a file by index.
    Chunks(Ino),
    /// Chunks of a file whose node is gone by index, with the length that its deleted-file record holds.
    DeletedChunks(Ino, u64),
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
    /// Sessions of clients before 1.0.
    LegacySessions,
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
    /// Lines of the changelog, oldest first.
    Changelog,
}

impl fmt::Display for Key {
    /// The record in words, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Setting => f.write_str("the volume setting"),
            Key::Counter(counter) => write!(f, "counter {}", counter.name()),
            Key::Node(ino) => write!(f, "attributes of inode {ino}"),
            Key::Edge(parent, name) => write!(f, "entry {name} of directory {parent}"),
            Key::Symlink(ino) => write!(f, "symlink {ino}"),
            Key::Xattr(ino, name) => {
                write!(
                    f,
                    "extended attribute {} of inode {ino}",
                    String::from_utf8_lossy(name)
                )
            }
            Key::Chunk(ino, index) => write!(f, "slices of chunk {index} of inode {ino}"),
            Key::SliceRef(id, size) => write!(f, "owners of slice {id} of {size} bytes"),
            Key::DelayedSlices(id, deleted) => write!(f, "slices replaced by slice {id} at {deleted}"),
            Key::Session(sid) => write!(f, "session {sid}"),
            Key::LegacySession(sid) => write!(f, "session {sid} of an old client"),
            Key::Sustained(sid, ino) => write!(f, "inode {ino} held open by session {sid}"),
            Key::DeletedFile(ino, length) => write!(f, "deleted file {ino} of {length} bytes"),
            Key::FileLock(ino, sid, owner) => {
                write!(f, "BSD lock of owner {owner} in session {sid} on inode {ino}")
            }
            Key::RecordLocks(ino, sid, owner) => {
                write!(f, "POSIX locks of owner {owner} in session {sid} on inode {ino}")
            }
            Key::DirStat(ino) => write!(f, "statistics of directory {ino}"),
            Key::Quota(QuotaKey::Directory(ino)) => write!(f, "quota of directory {ino}"),
            Key::Quota(QuotaKey::User(uid)) => write!(f, "quota of user {uid}"),
            Key::Quota(QuotaKey::Group(gid)) => write!(f, "quota of group {gid}"),
            Key::Detached(ino) => write!(f, "unfinished clone {ino}"),
            Key::Acl(id) => write!(f, "ACL rule {id}"),
            Key::ChangelogLine(version) => write!(f, "line {version} of the changelog"),
        }
    }
}
