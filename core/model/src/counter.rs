//! The counters of a volume (spec 20-model section 2).

/// A named number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Inode allocation.
    NextInode,
    /// Slice id allocation.
    NextChunk,
    /// Session id allocation.
    NextSession,
    /// Hourly trash directory allocation.
    NextTrash,
    /// Bytes used, a multiple of 4096.
    UsedSpace,
    /// Nodes in use.
    TotalInodes,
    /// Last ACL id (Redis and TKV).
    AclMaxId,
    /// Guard: last start of the slice clean-up, unix seconds.
    NextCleanupSlices,
    /// Guard: last reaping of sessions.
    LastCleanupSessions,
    /// Guard: last clean-up of deleted files.
    LastCleanupFiles,
    /// Guard: last clean-up of the trash.
    LastCleanupTrash,
    /// Guard: last trimming of the changelog.
    LastCleanupChangelog,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Counter; 12] = [
        Counter::NextInode,
        Counter::NextChunk,
        Counter::NextSession,
        Counter::NextTrash,
        Counter::UsedSpace,
        Counter::TotalInodes,
        Counter::AclMaxId,
        Counter::NextCleanupSlices,
        Counter::LastCleanupSessions,
        Counter::LastCleanupFiles,
        Counter::LastCleanupTrash,
        Counter::LastCleanupChangelog,
    ];

    /// The name as SQL and TKV store it.
    pub fn name(self) -> &'static str {
        match self {
            Counter::NextInode => "nextInode",
            Counter::NextChunk => "nextChunk",
            Counter::NextSession => "nextSession",
            Counter::NextTrash => "nextTrash",
            Counter::UsedSpace => "usedSpace",
            Counter::TotalInodes => "totalInodes",
            Counter::AclMaxId => "aclMaxId",
            Counter::NextCleanupSlices => "nextCleanupSlices",
            Counter::LastCleanupSessions => "lastCleanupSessions",
            Counter::LastCleanupFiles => "lastCleanupFiles",
            Counter::LastCleanupTrash => "lastCleanupTrash",
            Counter::LastCleanupChangelog => "lastCleanupChangelog",
        }
    }

    /// Whether it holds the next free id, as SQL and TKV store it; the others hold the last one used, or no id at all
    /// (spec 20-model section 2).
    pub fn is_next_free(self) -> bool {
        matches!(self, Counter::NextInode | Counter::NextChunk)
    }

    /// The value that an absent counter stands for, in the meaning of [`Counter::is_next_free`].
    pub fn initial(self) -> i64 {
        match self {
            Counter::NextInode => 2,
            Counter::NextChunk => 1,
            _ => 0,
        }
    }
}
