//! How a door uses a volume.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Clock, Gid, SystemClock, Uid};

use crate::BackupOptions;

/// What `close` promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// The file is committed and survives the death of this process; power loss may take the last seconds.
    #[default]
    Close,
    /// Each close also runs the durability barrier, like an fsync.
    Always,
}

/// Whose identity requests carry into the volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Squash {
    /// The caller's own.
    #[default]
    None,
    /// The superuser becomes this user and group.
    Root(Uid, Gid),
    /// Everybody becomes this user and group.
    All(Uid, Gid),
}

/// Options of a [`crate::Vfs`]. Times of caches are promises to the kernel: it may serve what it knows that long.
#[derive(Clone, Debug)]
pub struct VfsOptions {
    /// How long attributes may be served from a cache.
    pub attr_ttl: Duration,
    /// How long the entry of a file may be served from a cache.
    pub entry_ttl: Duration,
    /// How long the entry of a directory may be served from a cache.
    pub dir_entry_ttl: Duration,
    /// How long the absence of an entry may be served from a cache.
    pub negative_ttl: Duration,
    /// How long an open may reuse attributes of an earlier open instead of asking the engine; zero keeps
    /// close-to-open consistency.
    pub open_cache: Duration,
    /// Have the engine tell what other clients change, and the kernel drop it; where the engine can not, opening the
    /// volume fails. Absent entries are not told of.
    pub push_invalidation: bool,
    /// What close promises.
    pub sync_mode: SyncMode,
    /// Making, removing and renaming entries also run the durability barrier, as the fsync of their directory.
    pub sync_directories: bool,
    /// Every change is refused.
    pub read_only: bool,
    /// Internal nodes are named `.jfs.stats` instead of `.stats` (spec 70-semantics section 13).
    pub prefix_internal: bool,
    /// Internal nodes are not listed.
    pub hide_internal: bool,
    /// [`crate::Vfs::find`] finds names that differ in capital and small letters alone. All other operations take names as
    /// they are.
    pub ignore_case: bool,
    /// Largest readahead window of one handle, bytes.
    pub max_readahead: u64,
    /// Memory for data on its way to and from the store, bytes; what `.config` shows and readahead is bounded by.
    pub buffer_size: u64,
    /// Replaces the identity of callers.
    pub squash: Squash,
    /// This layer checks permissions; off where the kernel did (`default_permissions`).
    pub check_permissions: bool,
    /// Inode that takes the place of the root; `None` shows the whole volume.
    pub subdir: Option<String>,
    /// Serve `security.capability`.
    pub enable_capabilities: bool,
    /// Serve `security.selinux`.
    pub enable_selinux: bool,
    /// Extended attributes are served at all.
    pub enable_xattr: bool,
    /// When the metadata is backed up into the object store; never without.
    pub backup: Option<BackupOptions>,
    /// Where the volume is mounted, for `.config`.
    pub mount_point: PathBuf,
    /// Source of modification times.
    pub clock: Arc<dyn Clock>,
}

/// Default lifetime of kernel caches, as JuiceFS's mounts have it (guides/juicefs section 1.2).
const SHARED_TTL: Duration = Duration::from_secs(1);
/// Default readahead window, bytes: enough blocks in flight to hide a store's latency.
const READAHEAD_BYTES: u64 = 32 << 20;
/// Default data memory, bytes.
const BUFFER_BYTES: u64 = 300 << 20;

impl Default for VfsOptions {
    fn default() -> Self {
        VfsOptions {
            attr_ttl: SHARED_TTL,
            entry_ttl: SHARED_TTL,
            dir_entry_ttl: SHARED_TTL,
            negative_ttl: Duration::ZERO,
            open_cache: Duration::ZERO,
            push_invalidation: false,
            sync_mode: SyncMode::Close,
            sync_directories: false,
            read_only: false,
            prefix_internal: false,
            hide_internal: false,
            ignore_case: false,
            max_readahead: READAHEAD_BYTES,
            buffer_size: BUFFER_BYTES,
            squash: Squash::None,
            check_permissions: false,
            subdir: None,
            enable_capabilities: false,
            enable_selinux: false,
            enable_xattr: true,
            backup: None,
            mount_point: PathBuf::new(),
            clock: Arc::new(SystemClock),
        }
    }
}
