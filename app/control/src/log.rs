//! The end of a log.

use serde::{Deserialize, Serialize};

/// The last lines of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LogEnd {
    /// The file.
    pub path: String,
    /// Its last lines, the newest last; none when there is no file.
    pub lines: Vec<String>,
    /// Whether the log has earlier lines.
    pub earlier: bool,
}

/// How many lines the agent is asked for at most: more than a person reads in a window.
pub const MOST_LINES: u32 = 500;
