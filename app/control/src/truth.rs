//! The sentence of truth, as data: the client only puts it into words.

use serde::{Deserialize, Serialize};

use crate::state::Timestamp;

/// Whether what was written is stored. Derived from the staging journals on disk, never from hope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "truth", rename_all = "snake_case")]
pub enum Truth {
    /// Every journal was read and is empty.
    Stored,
    /// Files exist only on this computer.
    OnlyHere {
        /// How many files.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// When the oldest was written.
        oldest: Option<Timestamp>,
    },
    /// Something that was acknowledged is in no store and waits nowhere. This is told before all else.
    Lost {
        /// What, and why.
        message: String,
    },
    /// A journal could not be read, so nothing is claimed.
    Unknown {
        /// Why not.
        message: String,
    },
}
