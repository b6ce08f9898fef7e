//! Sync pairs: a folder of this computer and a folder of a volume that are kept the same, or one like the other.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::settings::HoldRule;
use crate::state::Timestamp;
use crate::volume::VolumeId;

/// The agent's name for a pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct SyncPairId(pub String);

/// What a pair is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Changes of each side come to the other.
    TwoWay,
    /// Changes of the local folder come to the volume. Nothing is removed there, and the local folder is never changed.
    BackUp,
    /// Changes of the volume come to the local folder, removals too. The volume is never changed.
    Mirror,
}

/// What is kept in sync, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncPairSettings {
    /// The folder of this computer.
    pub local_folder: String,
    /// The volume.
    pub volume: VolumeId,
    /// The folder in it, from its root, without `/` at either end; the empty text is the root.
    pub volume_folder: String,
    /// What the pair is for.
    pub mode: SyncMode,
    /// Patterns of names that are left alone on both sides, beside those that always are.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Folders that do not take part, with all that is below them: from the roots of both sides, without `/` at either end.
    /// They stay as they are on both.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// When a run asks before it removes.
    #[serde(default)]
    pub guard: SyncGuard,
}

/// When a run asks before it removes: more than either is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncGuard {
    /// Files of one side.
    pub files: u64,
    /// Percent of the files that both sides had, at most 100.
    pub percent: u64,
}

impl Default for SyncGuard {
    /// An emptied or unmounted folder is caught, a day's tidying is not.
    fn default() -> SyncGuard {
        SyncGuard {
            files: 100,
            percent: 25,
        }
    }
}

/// Most folders that are told at once: more than a person looks through.
pub const MOST_FOLDERS: usize = 500;

/// Folders of a pair in one folder, of both sides together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncFolders {
    /// By name.
    pub folders: Vec<SyncFolder>,
    /// How many more there are.
    pub more: u64,
}

/// A folder of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncFolder {
    /// Its name.
    pub name: String,
    /// This computer has it.
    pub local: bool,
    /// The volume has it.
    pub volume: bool,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SyncSide {
    /// The folder of this computer.
    Local,
    /// The folder of the volume.
    Volume,
}

/// A pair as a client shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncPair {
    /// Its name in the list.
    pub id: SyncPairId,
    /// What is kept in sync.
    pub settings: SyncPairSettings,
    /// What it is doing.
    pub state: SyncState,
    /// The last run that ended since the agent started.
    pub last_run: Option<SyncRun>,
    /// When the next run begins at the latest.
    pub next_run: Option<Timestamp>,
    /// Versions that got another name and are still there, the newest first.
    pub conflicts: Vec<SyncConflict>,
    /// Whether changes of the local folder are heard of at once; else they are found by the next run.
    pub watched: bool,
}

/// What a pair is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SyncState {
    /// Its volume is not mounted. It goes on by itself when that is.
    Waiting,
    /// A person paused it, or all transfers.
    Paused {
        /// Whether all are.
        all: bool,
    },
    /// A rule holds all transfers. It goes on by itself.
    Held {
        /// Which.
        by: HoldRule,
    },
    /// Both sides are looked at and brought together.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// As far as the last run saw, both sides are as they should be.
    UpToDate,
    /// It would remove much, and waits for a person.
    Asking {
        /// What it would do.
        preview: SyncPreview,
    },
    /// The last run left something undone, which `last_run` names; it is tried again.
    Incomplete,
    /// The last run failed as a whole; it is tried again.
    Error {
        /// Why.
        problem: Problem,
    },
}

/// What a run would do, as far as names, sizes and times tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncPreview {
    /// Files that both sides had in common last.
    pub known: u64,
    /// Files and folders to be copied to the local folder.
    pub to_local: u64,
    /// Bytes of them.
    pub to_local_bytes: u64,
    /// Files and folders to be copied to the volume.
    pub to_volume: u64,
    /// Bytes of them.
    pub to_volume_bytes: u64,
    /// Files to be removed from the local folder.
    pub removed_local: u64,
    /// Files to be removed from the volume.
    pub removed_volume: u64,
    /// Files that both sides have, and whose contents are to be compared.
    pub comparisons: u64,
    /// Pipes, sockets and devices, which are left alone.
    pub special: u64,
    /// Places that can not be read, and are left alone.
    pub unreadable: u64,
    /// Whether it removes so much that the run asks first.
    pub asks: bool,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncRun {
    /// When it ended.
    pub ended: Timestamp,
    /// Copied to the local folder.
    pub copied_local: u64,
    /// Copied to the volume.
    pub copied_volume: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Removed from the local folder.
    pub removed_local: u64,
    /// Removed from the volume.
    pub removed_volume: u64,
    /// Versions that got another name.
    pub conflicts: u64,
    /// What changed while it was looked at: the next run deals with it.
    pub postponed: u64,
    /// What did not work, or could not be read.
    pub failed: u64,
    /// The first of what failed.
    pub failures: Vec<SyncFailure>,
}

/// Something that did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncFailure {
    /// Where, from the roots of both sides.
    pub path: String,
    /// Why, and what to do.
    pub problem: Problem,
}

/// Both sides had a version of their own: one of them got another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SyncConflict {
    /// What it was called, and what the other version is called.
    pub path: String,
    /// What it is called now.
    pub copy: String,
    /// Whose version it is.
    pub side: SyncSide,
    /// Since when.
    pub since: Timestamp,
}

/// What a person says when a run asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum SyncAnswer {
    /// Up to so many files may be removed from each side, once.
    Remove {
        /// As many as the person was shown.
        files: u64,
    },
    /// None is removed: what is gone from one side comes back, or stays where it is when the pair does not change that
    /// side.
    Keep,
}

/// Which version of a conflict stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SyncKeep {
    /// The one that kept its name.
    Original,
    /// The one that got another name; it gets the old one back. Only in a two-way pair.
    Copy,
    /// Both, under the names that they have.
    Both,
}
