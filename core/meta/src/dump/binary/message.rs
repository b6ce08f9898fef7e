//! The messages of a binary dump (spec 80-dump section 3), fields by their numbers.

use std::collections::HashMap;

use prost::Message;

/// The setting, as JSON.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Format {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::dump) data: Vec<u8>,
}

/// A counter, ids being the next free ones.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Counter {
    #[prost(string, tag = "1")]
    pub(in crate::dump) key: String,
    #[prost(int64, tag = "2")]
    pub(in crate::dump) value: i64,
}

/// Deleted files that a session holds open.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Sustained {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) sid: u64,
    #[prost(uint64, repeated, tag = "2")]
    pub(in crate::dump) inodes: Vec<u64>,
}

/// A deleted file whose data is still to be removed.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct DelFile {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(uint64, tag = "2")]
    pub(in crate::dump) length: u64,
    #[prost(int64, tag = "3")]
    pub(in crate::dump) expire: i64,
}

/// Owners of a slice that has not one.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct SliceRef {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) id: u64,
    #[prost(uint32, tag = "2")]
    pub(in crate::dump) size: u32,
    #[prost(int64, tag = "3")]
    pub(in crate::dump) refs: i64,
}

/// An ACL rule as the format stores it.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Acl {
    #[prost(uint32, tag = "1")]
    pub(in crate::dump) id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::dump) data: Vec<u8>,
}

/// An extended attribute.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Xattr {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(string, tag = "2")]
    pub(in crate::dump) name: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::dump) value: Vec<u8>,
}

/// A quota; `key` is an inode, a user or a group by its list.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Quota {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) key: u64,
    #[prost(int64, tag = "2")]
    pub(in crate::dump) max_space: i64,
    #[prost(int64, tag = "3")]
    pub(in crate::dump) max_inodes: i64,
    #[prost(int64, tag = "4")]
    pub(in crate::dump) used_space: i64,
    #[prost(int64, tag = "5")]
    pub(in crate::dump) used_inodes: i64,
    #[prost(uint32, tag = "6")]
    pub(in crate::dump) kind: u32,
}

/// Statistics of a directory.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Stat {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(int64, tag = "2")]
    pub(in crate::dump) data_length: i64,
    #[prost(int64, tag = "3")]
    pub(in crate::dump) used_space: i64,
    #[prost(int64, tag = "4")]
    pub(in crate::dump) used_inodes: i64,
}

/// A node with its attribute record.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Node {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::dump) data: Vec<u8>,
}

/// An entry of a directory.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Edge {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) parent: u64,
    #[prost(uint64, tag = "2")]
    pub(in crate::dump) inode: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::dump) name: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub(in crate::dump) kind: u32,
}

/// Names that a directory holds for a hard-linked node.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Parent {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(uint64, tag = "2")]
    pub(in crate::dump) parent: u64,
    #[prost(int64, tag = "3")]
    pub(in crate::dump) count: i64,
}

/// The slice list of a chunk, as the format stores it.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Chunk {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(uint32, tag = "2")]
    pub(in crate::dump) index: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::dump) slices: Vec<u8>,
}

/// The target of a symlink.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Symlink {
    #[prost(uint64, tag = "1")]
    pub(in crate::dump) inode: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::dump) target: Vec<u8>,
}

/// The records of a segment: one of the lists is filled.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::dump) nodes: Vec<Node>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::dump) edges: Vec<Edge>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::dump) chunks: Vec<Chunk>,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::dump) slice_refs: Vec<SliceRef>,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::dump) xattrs: Vec<Xattr>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::dump) parents: Vec<Parent>,
    #[prost(message, repeated, tag = "7")]
    pub(in crate::dump) symlinks: Vec<Symlink>,
    #[prost(message, repeated, tag = "8")]
    pub(in crate::dump) sustained: Vec<Sustained>,
    #[prost(message, repeated, tag = "9")]
    pub(in crate::dump) del_files: Vec<DelFile>,
    #[prost(message, repeated, tag = "10")]
    pub(in crate::dump) dir_stats: Vec<Stat>,
    #[prost(message, repeated, tag = "11")]
    pub(in crate::dump) quotas: Vec<Quota>,
    #[prost(message, repeated, tag = "12")]
    pub(in crate::dump) acls: Vec<Acl>,
    #[prost(message, repeated, tag = "13")]
    pub(in crate::dump) counters: Vec<Counter>,
    #[prost(message, repeated, tag = "15")]
    pub(in crate::dump) user_quotas: Vec<Quota>,
    #[prost(message, repeated, tag = "16")]
    pub(in crate::dump) group_quotas: Vec<Quota>,
}

/// Where the segments of a kind are.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct SegmentInfo {
    /// Offsets in the file.
    #[prost(uint64, repeated, tag = "1")]
    pub(in crate::dump) offsets: Vec<u64>,
    /// Records in them.
    #[prost(uint64, tag = "2")]
    pub(in crate::dump) records: u64,
}

/// The end of a dump.
#[derive(Clone, PartialEq, Message)]
pub(in crate::dump) struct Footer {
    #[prost(uint32, tag = "1")]
    pub(in crate::dump) magic: u32,
    #[prost(uint32, tag = "2")]
    pub(in crate::dump) version: u32,
    /// By the names of the kinds.
    #[prost(map = "string, message", tag = "3")]
    pub(in crate::dump) infos: HashMap<String, SegmentInfo>,
}
