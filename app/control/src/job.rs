//! Long work on a volume that goes on without the client who began it.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::state::Timestamp;

/// How such work is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    /// At work.
    Running {
        /// How far.
        progress: JobProgress,
        /// It was told to end, and does so within seconds.
        ending: bool,
    },
    /// It came to its end; what came of it stands beside.
    Done {
        /// When.
        ended: Timestamp,
    },
    /// It failed; what was done by then stays done.
    Failed {
        /// When.
        ended: Timestamp,
        /// Why.
        problem: Problem,
    },
    /// It was cancelled; what was done by then stays done.
    Cancelled {
        /// When.
        ended: Timestamp,
    },
}

/// How far such work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct JobProgress {
    /// The part of the work that the other figures speak of; absent where it has none.
    pub phase: Option<JobPhase>,
    /// Records, objects or entries that are done.
    pub done: u64,
    /// How many there are; absent while that is not known, and it may grow.
    pub total: Option<u64>,
    /// Bytes of what is done.
    pub bytes: u64,
}

/// The parts of a check, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum JobPhase {
    /// Records are compared with each other.
    Records,
    /// Objects are looked for.
    Objects,
    /// Objects are read.
    Contents,
    /// Anything newer than this client.
    #[serde(other)]
    Other,
}
