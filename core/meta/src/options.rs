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
    /// Takes part in the guarded background jobs.
    pub background_jobs: bool,
    /// Interval of the session refresh; zero disables it (expiry a year ahead).
    pub heartbeat: Duration,
    /// Parent times younger than this are not rewritten unless nlink changes.
    pub skip_dir_mtime: Duration,
    /// Access time updates.
    pub atime: AtimeMode,
    /// Path shown in the session record.
    pub mount_point: String,
    /// A directory that takes the place of the root.
    pub subdir: Option<String>,
    /// Deletions of file data that run at once.
    pub max_deletes: usize,
}

impl Default for MetaOptions {
    fn default() -> Self {
        MetaOptions {
            read_only: false,
            background_jobs: true,
            heartbeat: Duration::from_secs(12),
            skip_dir_mtime: Duration::from_millis(100),
            atime: AtimeMode::Never,
            mount_point: String::new(),
            subdir: None,
            max_deletes: 10,
        }
    }
}
