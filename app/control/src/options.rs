//! What of a volume itself can be changed: it holds for every computer that uses it.

use serde::{Deserialize, Serialize};

/// The options of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeOptions {
    /// What can be changed.
    pub limits: VolumeLimits,
    /// The name in the volume itself.
    pub name: String,
    /// Kind of the object store.
    pub storage: String,
    /// Bucket or folder of the objects.
    pub bucket: String,
    /// Bytes of a block.
    pub block_size: u64,
    /// Compression of blocks; empty is none.
    pub compression: String,
    /// Whether blocks are encrypted.
    pub encrypted: bool,
}

/// Limits of a volume, and what it keeps account of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeLimits {
    /// Most bytes; 0 is no limit.
    pub capacity: u64,
    /// Most files and folders; 0 is no limit.
    pub inodes: u64,
    /// Days that removed files stay in the trash; 0 turns it off.
    pub trash_days: u32,
    /// Megabits a second that each mount may upload with; 0 is no limit.
    pub upload_limit: u64,
    /// Megabits a second that each mount may download with; 0 is no limit.
    pub download_limit: u64,
    /// Keeps statistics of each folder, which quotas of folders need.
    pub dir_stats: bool,
    /// Counts what users and groups use, which their quotas need.
    pub user_group_quota: bool,
}
