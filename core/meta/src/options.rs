//! How one client uses a volume.

use std::time::Duration;

/// When reads update the access time (spec 70-semantics section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtimeMode {
    /// Never.
    #[default]
    Never,
    /// When older than mtime, ctime or 24 hours.
    Relative,
    /// As relative, and whenever older than a second.
    Strict,
}

/// Options of a client.
#[derive(Clone, Debug)]
pub struct MetaOptions {
    /// No session, no background jobs, every change refused with `ReadOnly`.
    pub read_only: bool,
    /// Opens a volume whose usage counters can not be read as well, as if nothing were used: for those who check or
    /// repair it. Others would show wrong sizes, and could change nothing.
    pub accept_damaged_usage: bool,
    /// Takes part in the guarded background jobs, and compacts chunks that it finds to have many records.
    pub background_jobs: bool,
    /// Interval of the session refresh; zero disables it (expiry a year ahead).
    pub heartbeat: Duration,
    /// Parent times younger than this are not rewritten unless nlink changes.
    pub skip_dir_mtime: Duration,
    /// Access time updates.
    pub atime: AtimeMode,
    /// Path shown in the session record.
    pub mount_point: String,
    /// Name of this computer, shown in the session record.
    pub host_name: String,
    /// Addresses of this computer, shown in the session record.
    pub ip_addresses: Vec<String>,
    /// New nodes get the group of their directory always, as macOS and Hadoop do, not only below a setgid one.
    pub inherit_group: bool,
    /// Deletions of file data that run at once; with 0 the objects are left to another client.
    pub max_deletes: usize,
    /// Longest time that a committed change may be lost to a power cut when nobody asked for durability; zero leaves
    /// that to the engine.
    pub sync_interval: Duration,
}

impl Default for MetaOptions {
    fn default() -> Self {
        MetaOptions {
            read_only: false,
            accept_damaged_usage: false,
            background_jobs: true,
            heartbeat: Duration::from_secs(12),
            skip_dir_mtime: Duration::from_millis(100),
            atime: AtimeMode::Never,
            mount_point: String::new(),
            host_name: String::new(),
            ip_addresses: Vec::new(),
            inherit_group: false,
            max_deletes: 10,
            sync_interval: Duration::from_secs(3),
        }
    }
}
