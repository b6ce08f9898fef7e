//! The health of a volume: checks of it, and space that it takes for nothing.

use serde::{Deserialize, Serialize};

use crate::job::JobState;
use crate::state::Timestamp;

/// Most findings of a check that are told: more than a person reads; the counts tell of all.
pub const MOST_FINDINGS: usize = 100;

/// What is done for the health of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum HealthWork {
    /// Its records are compared with each other, and its objects with them.
    Check {
        /// Every object is read too, which transfers all data of the volume.
        contents: bool,
    },
    /// It is checked once more as before, and what has a safe repair is repaired; only within an hour after a check that
    /// found such a thing.
    Repair,
    /// What takes space for nothing is counted.
    FindGarbage,
    /// It is deleted; only within an hour after it was found.
    FreeGarbage,
}

/// The work for the health of a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeHealth {
    /// The work that is under way, or that ended last since the agent started.
    pub job: Option<HealthJob>,
    /// The last check that came to its end, or the repair after it. Of one before the agent started the findings are not
    /// told one by one.
    pub check: Option<EndedCheck>,
    /// What was found to take space for nothing, or was freed of it last, since the agent started.
    pub garbage: Option<EndedCollection>,
    /// Whether [`HealthWork::Repair`] may begin, but for other work.
    pub can_repair: bool,
    /// Whether [`HealthWork::FreeGarbage`] may begin, but for other work.
    pub can_free: bool,
}

/// Work that is under way, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HealthJob {
    /// What is done.
    pub work: HealthWork,
    /// When it began.
    pub begun: Timestamp,
    /// How it is.
    pub state: JobState,
}

/// A check that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndedCheck {
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it repaired what it could.
    pub repair: bool,
    /// What it found.
    pub report: CheckReport,
}

/// A search for what takes space for nothing that came to its end, or the deletion of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndedCollection {
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What that is.
    pub report: GarbageReport,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckReport {
    /// Files, folders and everything else that has attributes.
    pub nodes: u64,
    /// Names in folders.
    pub entries: u64,
    /// Pieces of files.
    pub slices: u64,
    /// Objects that those need.
    pub objects: u64,
    /// Records that can not be read.
    pub damaged_records: u64,
    /// How far the contents of objects were looked at.
    pub contents: CheckedContents,
    /// Objects that were read.
    pub verified_objects: u64,
    /// Bytes of those, before compression.
    pub verified_bytes: u64,
    /// What is wrong and not repaired, by how bad that is.
    pub open: OpenFindings,
    /// How many findings were repaired.
    pub repaired: u64,
    /// How many of the open ones have a safe repair.
    pub repairable: u64,
    /// What was found, at most [`MOST_FINDINGS`], the worst first.
    pub findings: Vec<HealthFinding>,
}

/// How far a check looked at the contents of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CheckedContents {
    /// Every changed byte would have been found: objects of this volume are authenticated.
    Authenticated,
    /// They were decompressed; a change that still can be is not found.
    Decompressed,
    /// Only their lengths tell: plain objects carry no checksum.
    Length,
    /// They were not read, or anything newer than this client.
    #[serde(other)]
    NotRead,
}

impl CheckedContents {
    /// Whether objects were read at all.
    pub fn were_read(self) -> bool {
        self != CheckedContents::NotRead
    }
}

/// How many findings of each severity a check has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct OpenFindings {
    /// Data is lost or can not be reached.
    pub error: u64,
    /// Something is not as it should be.
    pub warning: u64,
    /// A number drifted, as it is allowed to.
    pub note: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HealthFinding {
    /// Its kind, such as `missing-object`, as `moorage fsck --json` names it. Kinds may be added.
    pub defect: String,
    /// How bad it is.
    pub severity: FindingSeverity,
    /// A sentence that names the object, in English.
    pub message: String,
    /// What to do, in English.
    pub advice: String,
    /// What became of it.
    pub repair: FindingRepair,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FindingRepair {
    /// It has a safe repair.
    Possible,
    /// It was repaired.
    Done,
    /// Its repair failed.
    Failed,
    /// It has no safe repair, or anything newer than this client.
    #[serde(other)]
    Impossible,
}

/// How bad a finding is, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// A number drifted, as it is allowed to.
    Note,
    /// Something is not as it should be.
    Warning,
    /// Data is lost or can not be reached, or anything newer than this client.
    #[serde(other)]
    Error,
}

/// What takes space for nothing, or took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GarbageReport {
    /// Whether it is deleted; otherwise it was only counted.
    pub deleted: bool,
    /// Objects in use; kept.
    pub valid: GarbageObjects,
    /// Objects of replaced pieces; kept for the trash days.
    pub delayed: GarbageObjects,
    /// Objects whose deletion was pending.
    pub pending: GarbageObjects,
    /// Objects that nothing names. Kept while records that may name them can not be read.
    pub leaked: GarbageObjects,
    /// Objects that are too young to be judged; kept.
    pub young: GarbageObjects,
    /// Objects of a newer copy of the database; kept.
    pub ahead: GarbageObjects,
    /// Keys in the store that are no objects of the volume; never touched.
    pub foreign: GarbageObjects,
    /// Trash past its days.
    pub expired_trash: ExpiredTrash,
    /// Copies of folders that were never finished.
    pub abandoned_clones: GarbageRecords,
    /// Deleted files that still had data.
    pub deleted_files: GarbageRecords,
    /// Replaced pieces past the trash days.
    pub expired_slices: GarbageRecords,
    /// Pieces without a file.
    pub dead_slices: GarbageRecords,
    /// Lists of pieces of files that do not exist.
    #[serde(default)]
    pub orphaned_chunks: GarbageRecords,
    /// Records that can not be read and may name objects.
    pub damaged_slice_records: u64,
    /// Other records that can not be read.
    pub other_damaged_records: u64,
}

/// Objects in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GarbageObjects {
    /// How many.
    pub objects: u64,
    /// Bytes that they take.
    pub bytes: u64,
}

/// Records in the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GarbageRecords {
    /// How many.
    pub count: u64,
    /// Bytes of what they stand for.
    pub bytes: u64,
}

/// Trash past its days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExpiredTrash {
    /// Hours.
    pub hours: u64,
    /// Entries in them.
    pub entries: u64,
}
