//! Names of tables and columns.

/// A table of records, without the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    Setting,
    Counter,
    Node,
    Edge,
    Symlink,
    Xattr,
    Chunk,
    SliceRef,
    DelayedSlices,
    Session,
    LegacySession,
    Sustained,
    DeletedFile,
    FileLock,
    RecordLocks,
    DirStat,
    DirectoryQuota,
    OwnerQuota,
    Detached,
    Acl,
    Changelog,
}

/// Columns of a node, its key first.
pub(crate) const NODE_COLUMNS: [&str; 19] = [
    "inode",
    "type",
    "flags",
    "mode",
    "uid",
    "gid",
    "atime",
    "mtime",
    "ctime",
    "atimensec",
    "mtimensec",
    "ctimensec",
    "nlink",
    "length",
    "rdev",
    "parent",
    "access_acl_id",
    "default_acl_id",
    "tier_id",
];

impl Table {
    /// Every table in the order of its declaration.
    pub(crate) const ALL: [Table; 21] = [
        Table::Setting,
        Table::Counter,
        Table::Node,
        Table::Edge,
        Table::Symlink,
        Table::Xattr,
        Table::Chunk,
        Table::SliceRef,
        Table::DelayedSlices,
        Table::Session,
        Table::LegacySession,
        Table::Sustained,
        Table::DeletedFile,
        Table::FileLock,
        Table::RecordLocks,
        Table::DirStat,
        Table::DirectoryQuota,
        Table::OwnerQuota,
        Table::Detached,
        Table::Acl,
        Table::Changelog,
    ];

    /// Tables that every volume has from the start, whatever release made it (spec 40-sql section 3). Without one of
    /// them names, data or numbers of the volume are lost; the others are made when it is opened.
    pub(crate) const INDISPENSABLE: [Table; 7] = [
        Table::Counter,
        Table::Node,
        Table::Edge,
        Table::Symlink,
        Table::Chunk,
        Table::SliceRef,
        Table::DeletedFile,
    ];

    /// Its name without the prefix.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Table::Setting => "setting",
            Table::Counter => "counter",
            Table::Node => "node",
            Table::Edge => "edge",
            Table::Symlink => "symlink",
            Table::Xattr => "xattr",
            Table::Chunk => "chunk",
            Table::SliceRef => "chunk_ref",
            Table::DelayedSlices => "delslices",
            Table::Session => "session2",
            Table::LegacySession => "session",
            Table::Sustained => "sustained",
            Table::DeletedFile => "delfile",
            Table::FileLock => "flock",
            Table::RecordLocks => "plock",
            Table::DirStat => "dir_stats",
            Table::DirectoryQuota => "dir_quota",
            Table::OwnerQuota => "user_group_quota",
            Table::Detached => "detached_node",
            Table::Acl => "acl",
            Table::Changelog => "change_log",
        }
    }

    /// Columns that identify a row; the database enforces that they are unique.
    pub(crate) fn unique(self) -> &'static [&'static str] {
        match self {
            Table::Setting | Table::Counter => &["name"],
            Table::Node
            | Table::Symlink
            | Table::DeletedFile
            | Table::DirStat
            | Table::DirectoryQuota
            | Table::Detached => &["inode"],
            Table::Edge => &["parent", "name"],
            Table::Xattr => &["inode", "name"],
            Table::Chunk => &["inode", "indx"],
            Table::SliceRef | Table::DelayedSlices => &["chunkid"],
            Table::Session | Table::LegacySession => &["sid"],
            Table::Sustained => &["sid", "inode"],
            Table::FileLock | Table::RecordLocks => &["inode", "sid", "owner"],
            Table::OwnerQuota => &["qtype", "qkey"],
            Table::Acl | Table::Changelog => &["id"],
        }
    }

    /// Columns that hold the fields of the key, in the order of [`super::address`].
    pub(crate) fn key(self) -> &'static [&'static str] {
        match self {
            Table::SliceRef => &["chunkid"],
            Table::DelayedSlices => &["chunkid", "deleted"],
            Table::DeletedFile => &["inode", "length"],
            other => other.unique(),
        }
    }

    /// Columns that hold the value, in the order of [`super::encode_value`] and [`super::decode_value`].
    pub(crate) fn values(self) -> &'static [&'static str] {
        const LIMITS: &[&str] = &["max_space", "max_inodes", "used_space", "used_inodes"];
        match self {
            Table::Setting | Table::Counter | Table::Xattr => &["value"],
            Table::Node => NODE_COLUMNS.split_at(1).1,
            Table::Edge => &["inode", "type"],
            Table::Symlink => &["target"],
            Table::Chunk | Table::DelayedSlices => &["slices"],
            Table::SliceRef => &["size", "refs"],
            Table::Session => &["expire", "info"],
            Table::LegacySession => &["heartbeat"],
            Table::Sustained => &[],
            Table::DeletedFile => &["expire"],
            Table::FileLock => &["ltype"],
            Table::RecordLocks => &["records"],
            Table::DirStat => &["data_length", "used_space", "used_inodes"],
            Table::DirectoryQuota | Table::OwnerQuota => LIMITS,
            Table::Detached => &["added"],
            Table::Acl => &["owner", "group", "mask", "other", "named_users", "named_groups"],
            Table::Changelog => &["entry"],
        }
    }
}
