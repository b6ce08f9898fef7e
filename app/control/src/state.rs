//! The words for how a volume is doing, the same in the window, the tray, the command line and the logs.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// What a volume is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum VolumeState {
    /// Something that it needs is not known yet.
    Unconfigured {
        /// What is missing and how to give it.
        reason: Reason,
    },
    /// Not mounted, and not meant to be.
    Stopped,
    /// Its mount process starts, for the first time or again.
    Connecting {
        /// How often it was tried since it last was mounted, from 1.
        attempt: u32,
        /// Why it is tried again; absent the first time.
        reason: Option<Reason>,
    },
    /// It serves files and nothing is wrong.
    Mounted,
    /// It serves files, but not as well as it should.
    Degraded {
        /// The gravest first; never empty.
        reasons: Vec<Reason>,
    },
    /// It is being unmounted.
    Unmounting {
        /// What it waits for; absent when nothing holds it.
        waiting_for: Option<UnmountWait>,
    },
    /// It does not serve files, and trying again by itself would not help.
    Error {
        /// What went wrong.
        problem: Problem,
    },
}

/// What an unmount waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "wait", rename_all = "snake_case")]
pub enum UnmountWait {
    /// Files that exist only on this computer are uploaded first.
    Uploads {
        /// How many files.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Processes have files open.
    Processes {
        /// Who, as far as the system tells.
        holders: Vec<Holder>,
    },
}

/// A process that uses a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Holder {
    /// The number of the process.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
}

/// Why a volume is not simply well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reason {
    /// What a program decides on.
    pub code: ReasonCode,
    /// One sentence for a person.
    pub message: String,
    /// What the person can do now.
    pub advice: String,
    /// Since when.
    pub since: Timestamp,
}

/// The complete list of answers to "why is it not syncing?". A client treats one that it does not know as `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The quota is nearly used up.
    QuotaNearing,
    /// The quota is used up.
    QuotaExceeded,
    /// The server refuses the credentials.
    Authentication,
    /// The keyring is locked.
    KeyringLocked,
    /// A secret or a setting is missing.
    Incomplete,
    /// Paused while the connection is metered.
    PausedMetered,
    /// Paused while the disk of this computer is full.
    PausedDiskFull,
    /// Paused by a rule of this computer.
    PausedClientPolicy,
    /// Paused by a rule of the service.
    PausedServicePolicy,
    /// Paused by the person.
    PausedByUser,
    /// The object store does not answer.
    StoreUnavailable,
    /// The metadata database does not answer.
    MetadataUnavailable,
    /// Uploads wait for longer than they should.
    UploadsLate,
    /// The mount process ended and was started again.
    Crashed,
    /// Its live figures cannot be read.
    NotAnswering,
    /// Anything newer than this client.
    #[serde(other)]
    Other,
}
