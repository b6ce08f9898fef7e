//! What the agent asks of a process that serves a mount, over a socket of that process outside of the mount: so nothing
//! keeps the mount busy, and what hangs there does not hang here.
//!
//! A connection is one request and one answer, each a message in a [`frame`](crate::frame). Members and kinds are added
//! without a new version; one that a side does not know is left out of account.

mod ask;
mod serve;

use serde::{Deserialize, Serialize};

pub use self::ask::{AskError, ask};
pub use self::serve::{MountService, serve};
use crate::figures::Figures;
use crate::problem::Problem;
use crate::settings::Pause;
use crate::state::Timestamp;
use crate::transfer::{Direction, Progress};

/// The version of this protocol. It grows when an old side would misread a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MountProtocol(pub u32);

impl MountProtocol {
    /// What this build speaks.
    pub const CURRENT: Self = Self(1);
}

/// A request with the version of who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountMessage {
    /// What the asking side speaks.
    pub protocol: MountProtocol,
    /// What is asked.
    #[serde(flatten)]
    pub request: MountRequest,
}

/// What is asked of a mount process. The comment names the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum MountRequest {
    /// How it is doing: `report`.
    Report,
    /// Holds uploads, and downloads that nobody waits for: `done`.
    Pause {
        /// Until when; absent is until resumed.
        until: Option<Timestamp>,
    },
    /// Ends the pause: `done`.
    Resume,
    /// Keeps transfers below this mount's share of the limits over all mounts: `done`.
    Limit {
        /// Bytes uploaded in a second; absent is no limit.
        upload: Option<u64>,
        /// Bytes downloaded in a second; absent is no limit.
        download: Option<u64>,
    },
    /// Tries again now what failed and waits for its next attempt, and what hangs, over new connections: `done`.
    Retry,
    /// Ends the mount, where the system has no way of its own to ask for that: `done` once that has begun. What was
    /// written is stored before the process ends.
    End {
        /// How.
        how: MountEnd,
    },
    /// Anything newer than this process.
    #[serde(other)]
    Other,
}

/// How a mount is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountEnd {
    /// Not while files in it are open: then it is refused, and they are named.
    Unused,
    /// Although files are open; those who have them get errors.
    Now,
    /// Now, and what can not be stored within seconds is given up.
    Forced,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum MountAnswer {
    /// How it is doing.
    Report {
        /// The report.
        report: Box<MountReport>,
    },
    /// It was done.
    Done,
    /// It was not.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// How a mount process is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountReport {
    /// Whether it holds uploads and downloads; absent where it can not.
    pub pause: Option<Pause>,
    /// Its figures.
    pub figures: Figures,
    /// Why nothing gets through to the object store, as the store or the system said it; absent while there is no sign
    /// of that.
    pub store_problem: Option<String>,
    /// Why the metadata database does not answer; absent while there is no sign of that.
    pub metadata_problem: Option<String>,
    /// What was staged and is lost, since the staging folder lost it before it was uploaded; absent while nothing is known to
    /// be.
    pub lost: Option<Lost>,
    /// Uploads: running ones first, then failed ones, then those that wait, at most [`MOST_TRANSFERS`]; and the last few
    /// that are done.
    pub transfers: Vec<MountTransfer>,
}

/// What a staging folder lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lost {
    /// How many files lost bytes.
    pub files: u64,
    /// The bytes.
    pub bytes: u64,
    /// The files, at most [`MOST_LOST`].
    pub named: Vec<LostFile>,
}

/// A file that lost bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostFile {
    /// Its inode number in the volume.
    pub inode: u64,
    /// Path within the volume; absent when the mount cannot tell.
    pub path: Option<String>,
    /// The bytes.
    pub bytes: u64,
}

/// How many files that lost bytes a report names at most: more than a person reads.
pub const MOST_LOST: usize = 100;

/// How many uploads that are not done a report names at most; the figures count all of them.
pub const MOST_TRANSFERS: usize = 100;

/// One file on its way, as its mount process knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountTransfer {
    /// What tells it apart from others of this volume; the same for as long as it goes on.
    pub key: String,
    /// Path within the volume; absent when the mount cannot tell.
    pub path: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// When it was asked for.
    pub since: Timestamp,
    /// How it is going.
    pub progress: Progress,
}
