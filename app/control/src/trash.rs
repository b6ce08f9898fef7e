//! The trash of a volume: its hours, what lies in them, and what was done about that.
//!
//! Names and paths are texts; bytes of them that are none are replaced.

use serde::{Deserialize, Serialize};

use crate::job::JobState;
use crate::state::Timestamp;

/// Most entries of one page.
pub const MOST_ENTRIES: usize = 200;
/// Most entries that are restored or deleted at once: more than a person chooses one by one.
pub const MOST_CHOSEN: usize = 1000;
/// Most bytes of a path that is told: the longest that a kernel takes.
pub const LONGEST_PATH: usize = 4096;

/// The hours of a trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashHours {
    /// The newest first; those from which everything was brought back too, until they expire.
    pub hours: Vec<TrashHour>,
    /// Hours that can not be read.
    pub damaged: u64,
    /// Days that the volume keeps what is removed; 0 keeps nothing.
    pub days: u32,
}

/// An hour in which something was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashHour {
    /// Its name: `YYYY-MM-DD-HH` in UTC.
    pub hour: String,
    /// When it began; absent when its name tells no time.
    pub begins: Option<Timestamp>,
    /// Entries, each file and folder of a removed tree counted; absent when the volume keeps no statistics.
    pub entries: Option<u64>,
    /// Bytes that they take; absent as above.
    pub bytes: Option<u64>,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TrashKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device, or anything newer than this client.
    #[serde(other)]
    Other,
}

/// What became of the folder that something was removed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OldFolder {
    /// It is there.
    There,
    /// It lies in the trash itself, and comes back too.
    Removed,
    /// It is gone for good, or not known: nothing can be put back there.
    #[serde(other)]
    Gone,
}

/// Something that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashEntry {
    /// Its hour.
    pub hour: String,
    /// Its name there, by which it is restored or deleted.
    pub entry: String,
    /// What it is.
    pub kind: TrashKind,
    /// Its old name, or the one in the trash where that does not tell.
    pub name: String,
    /// The name may have been longer than the trash can keep.
    pub cut: bool,
    /// Its old path from the root of the volume, with a leading `/`; absent when that is not known or too long.
    pub path: Option<String>,
    /// What became of the folder it was in.
    pub folder: OldFolder,
    /// When it was removed; absent when its attributes can not be read.
    pub removed: Option<Timestamp>,
    /// Bytes of its content; absent as above.
    pub bytes: Option<u64>,
    /// Of a folder: how much was removed from inside it in the same hour. It is restored and deleted with it.
    pub inside: u64,
}

/// A page of what was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashPage {
    /// The newest hour first.
    pub entries: Vec<TrashEntry>,
    /// Entries that can not be read, of those that were passed for this page.
    pub damaged: u64,
    /// Where the next page begins; absent when this is the last.
    pub next: Option<TrashPlace>,
}

/// A place in the list of what was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashPlace {
    /// The hour.
    pub hour: String,
    /// The entry that it comes after; absent at the beginning of the hour.
    pub after: Option<String>,
}

/// What became of something that was to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RestoreOutcome {
    /// It is where it was.
    Restored,
    /// Something else has its name there now.
    NameTaken,
    /// The folder it was in is gone for good.
    FolderGone,
    /// A quota there, or the volume, is too small.
    OverQuota,
    /// It is not in the trash any more.
    NotThere,
    /// Its name in the trash does not tell where it was, or anything newer than this client.
    #[serde(other)]
    Unnamed,
}

/// What was done to restore one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashRestored {
    /// Its name in the hour.
    pub entry: String,
    /// Where it is now, or would be; absent when that is not known.
    pub path: Option<String>,
    /// What became of it.
    pub outcome: RestoreOutcome,
    /// Folders above it that came back from the trash for it.
    pub folders: u64,
    /// Of a folder: what came back inside it.
    pub inside: u64,
    /// Of a folder: what of that stays in the trash.
    pub left: u64,
}

/// What was deleted for good, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashPurged {
    /// Whether it is deleted; otherwise it was only counted.
    pub deleted: bool,
    /// Hours that had something in them.
    pub hours: u64,
    /// Entries, everything inside folders counted; a look counts what lies directly in the hours.
    pub entries: u64,
    /// Chosen entries that were not there any more.
    pub missing: Vec<String>,
    /// What can not be read and stays.
    pub damaged: u64,
}

/// A folder in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashFolder {
    /// Its hour.
    pub hour: String,
    /// Its name there.
    pub entry: String,
}

/// Entries of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashChosen {
    /// The hour.
    pub hour: String,
    /// Their names in it.
    pub entries: Vec<String>,
}

/// What is to be done about what lies in a trash. Entries that are named are at most [`MOST_CHOSEN`], those of all hours
/// together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum TrashWork {
    /// These go back to where they were, folders with everything that was removed from inside them in that hour.
    Restore {
        /// Which.
        chosen: Vec<TrashChosen>,
    },
    /// These are deleted for good, folders as above.
    Purge {
        /// Which.
        chosen: Vec<TrashChosen>,
    },
    /// Hours that were over so long ago are deleted for good.
    PurgeOlder {
        /// Seconds.
        seconds: u64,
    },
    /// Everything is deleted for good.
    PurgeAll,
}

/// Work on the trash of a volume that is under way, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrashJob {
    /// What is done.
    pub deed: TrashDeed,
    /// When it began.
    pub begun: Timestamp,
    /// How it is.
    pub state: JobState,
    /// What became of what was to be restored, as far as that is known: of each part of the work when it is done.
    pub restored: Vec<TrashRestored>,
    /// What was deleted for good, as far as that is known.
    pub purged: TrashPurged,
}

/// What such work does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TrashDeed {
    /// It restores.
    Restore,
    /// It deletes for good, or anything newer than this client.
    #[serde(other)]
    Purge,
}
