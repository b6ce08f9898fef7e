//! What went wrong, for a person and for a program.

use serde::{Deserialize, Serialize};

/// A failure as every client shows it: what, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{message}")]
pub struct Problem {
    /// What a program decides on.
    pub code: ProblemCode,
    /// One sentence that names the object.
    pub message: String,
    /// What lies beneath, as the system or the server said it; never a secret.
    pub cause: Option<String>,
    /// What the person can do now.
    pub advice: String,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
}

/// The kinds of failures. Kinds may be added: a client treats one that it does not know as `internal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The agent or the client is too old for the other.
    VersionMismatch,
    /// A request that cannot be read, or a value outside its range.
    InvalidRequest,
    /// No such volume, transfer or folder.
    NotFound,
    /// The name, mount point or volume is taken.
    AlreadyExists,
    /// What was asked for does not fit the present state, as mounting what is mounted.
    WrongState,
    /// The mount point is in use.
    MountPointBusy,
    /// A driver (FUSE, WinFsp) is missing or too old.
    DriverMissing,
    /// The keyring asks for its password first.
    KeyringLocked,
    /// This session has no keyring.
    KeyringMissing,
    /// A secret that the volume needs is not stored.
    SecretMissing,
    /// The server refused the credentials.
    Authentication,
    /// The server did not answer.
    Unreachable,
    /// The request was not answered within its deadline.
    TimedOut,
    /// No room on this computer.
    DiskFull,
    /// The volume's quota is used up.
    QuotaExceeded,
    /// The mount process ended by itself.
    MountCrashed,
    /// This version does not offer it yet.
    NotSupported,
    /// The operating system forbids it.
    PermissionDenied,
    /// A person ended the agent, and nothing but a person starts it again.
    AgentStopped,
    /// A fault of the agent.
    #[serde(other)]
    Internal,
}
