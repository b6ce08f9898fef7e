//! Who uses a volume.

use serde::{Deserialize, Serialize};

use crate::state::Timestamp;

/// How a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// It was heard of lately.
    Alive,
    /// It was not heard of for too long; the next client that cleans up removes it.
    Expired,
    /// Its process, on this computer, has ended.
    Dead,
    /// Its process, on this computer, would not come back after a crash.
    Unsupervised,
    /// Its record can not be read, or anything newer than this client.
    #[serde(other)]
    Damaged,
}

/// A client that has a volume open: a mount, or another program of a JuiceFS volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeSession {
    /// Its number in the volume.
    pub id: u64,
    /// The name of its computer.
    pub host: String,
    /// Whether that is this computer.
    pub here: bool,
    /// Where it has the volume, or what kind of program it is.
    pub mount_point: String,
    /// The version of its program.
    pub version: String,
    /// The number of its process there.
    pub process: u32,
    /// When it began, as it says itself: RFC 3339.
    pub since: String,
    /// When it counts as gone unless it is heard of before.
    pub expires: Timestamp,
    /// How it is doing.
    pub state: SessionState,
    /// Bytes that it has not uploaded yet; told of mounts on this computer.
    pub staged_bytes: Option<u64>,
}
