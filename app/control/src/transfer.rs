//! Uploads and downloads, one by one.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::state::Timestamp;
use crate::volume::VolumeId;

/// The number of a transfer, unique while the agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct TransferId(pub u64);

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the object store.
    Upload,
    /// From the object store.
    Download,
}

/// One file on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Transfer {
    /// Its number.
    pub id: TransferId,
    /// Its volume.
    pub volume: VolumeId,
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

/// How a transfer is going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum Progress {
    /// In the queue.
    Waiting,
    /// Bytes move.
    Running {
        /// Bytes in a second.
        rate: u64,
    },
    /// Held until uploads and downloads are resumed.
    Paused,
    /// It failed and waits for a retry.
    Failed {
        /// Why.
        problem: Problem,
    },
    /// It arrived.
    Done {
        /// When.
        at: Timestamp,
    },
}
