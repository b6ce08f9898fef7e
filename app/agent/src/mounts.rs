//! What the agent sees of mounts, whoever started them.

use std::path::PathBuf;

use moorage_control::state::Timestamp;
use moorage_control::volume::VolumeSettings;

/// A volume to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// How it is mounted.
    pub settings: VolumeSettings,
    /// Its identity, once a mount of it was seen.
    pub uuid: Option<String>,
}

/// The records of mounts, the system's table of them, and what is staged on this disk. All methods may block, for a second
/// or two at most, and none asks a mount anything.
pub trait MountTable: Send + Sync + 'static {
    /// What is at the mount point of each volume, in the same order.
    fn look(&self, volumes: &[Watched]) -> Vec<Look>;

    /// Where the processes of all mounts of this user answer, of volumes of the list and of others.
    fn all_processes(&self) -> Vec<PathBuf>;

    /// What is staged of a volume on this disk, by living mounts and by ended ones.
    ///
    /// # Errors
    /// In words, when that is not known.
    fn journal(&self, volume: &Watched) -> Result<Journal, String>;

    /// Has nobody bring back a mount whose process is gone; the system took its mount point away with it.
    #[cfg(windows)]
    fn give_up(&self, volume: &Watched);
}

/// What a look at a volume found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What is at its mount point.
    pub sighting: Sighting,
    /// Its identity, when a mount of it is on record.
    pub uuid: Option<String>,
    /// The processes of its mounts there, and where each answers, if it does: the one that serves it first, then those
    /// that still store what was written to earlier ones.
    pub processes: Vec<Option<PathBuf>>,
}

/// What waits on this disk for its upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Files with staged bytes.
    pub files: u64,
    /// Their staged bytes.
    pub bytes: u64,
    /// When the oldest was staged.
    pub oldest: Option<Timestamp>,
}

/// What is at the mount point of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// No mount of the volume.
    Absent {
        /// What the last mount could not store, as its process said it.
        lost: Option<String>,
    },
    /// A process that is about to mount it, or has just unmounted it.
    Changing,
    /// A mount that is served.
    Serving {
        /// The process that serves it.
        process: u32,
        /// The process that brings it back when it crashes; a mount in the foreground has none.
        supervisor: Option<u32>,
    },
    /// A mount that crashed, and is being brought back by its supervisor.
    Returning,
    /// A mount whose processes are gone.
    Dead,
    /// A mount that was taken away, while its process stores what was written.
    Storing {
        /// Files that are not stored yet, as far as they are known.
        files: u64,
        /// Bytes that are not stored yet.
        bytes: u64,
    },
}
