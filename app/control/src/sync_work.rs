//! What the agent and the process that keeps a pair in sync say to each other: lines of JSON over its standard input and
//! output. Both are of one version of the program.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::sync::{SyncAnswer, SyncConflict, SyncKeep, SyncPairId, SyncPairSettings, SyncPreview, SyncRun};

/// Longest line: conflicts and failures of a run with long names.
pub const LONGEST_LINE: usize = 1 << 20;

/// The first line to the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTask {
    /// The pair; a preview of one that is not in the list yet has none.
    pub id: Option<SyncPairId>,
    /// What is kept in sync.
    pub settings: SyncPairSettings,
    /// Where the volume is mounted.
    pub mount_point: String,
    /// The file of the pair's state; without one nothing is known of either side, and nothing is kept.
    pub state: Option<String>,
}

/// Every other line to the process. The end of its input is the end of its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum SyncOrder {
    /// A run now.
    Run,
    /// A run now, with what a person said to the question of the last one.
    Answer {
        /// That.
        answer: SyncAnswer,
    },
    /// A conflict is settled so, and a run follows.
    Resolve {
        /// Which, as it was told.
        conflict: SyncConflict,
        /// What stays.
        keep: SyncKeep,
    },
}

/// A line from the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum SyncReport {
    /// A run begins.
    Running,
    /// A run ended.
    Ended {
        /// What it did.
        run: SyncRun,
        /// The conflicts that are there now.
        conflicts: Vec<SyncConflict>,
        /// Whether changes of the local folder are heard of.
        watched: bool,
        /// The next run begins after so many milliseconds at the latest.
        next: u64,
    },
    /// A run would remove much, and did nothing.
    Asking {
        /// What it would do.
        preview: SyncPreview,
        /// Whether changes of the local folder are heard of.
        watched: bool,
        /// It asks again after so many milliseconds at the latest.
        next: u64,
    },
    /// A run failed as a whole.
    Failed {
        /// Why.
        problem: Problem,
        /// The next one begins after so many milliseconds at the latest.
        next: u64,
    },
}
