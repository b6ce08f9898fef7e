//! What every way of making a volume appear offers, and how it fails: the same words for all of them.

use std::fmt;

use crate::{HostError, MountPoint};

/// Which folder a backend takes as a mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderMount {
    /// One that exists and is empty.
    Existing,
    /// A name that does not exist yet, in a folder that does.
    New,
}

/// How names that differ in capital and small letters alone can be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseMode {
    /// They are different names.
    Sensitive,
    /// They are the same name, which keeps the letters it was made with.
    Preserving,
}

/// What a backend can do: data, so that commands and pages offer exactly that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountCapabilities {
    /// A drive such as `X:`.
    pub drive_letter: bool,
    /// A folder.
    pub folder: FolderMount,
    /// The system can choose where the volume appears.
    pub system_chosen: bool,
    /// Every change can be refused.
    pub read_only: bool,
    /// The volume's name is shown beside the mount point.
    pub volume_name: bool,
    /// The ways to treat letters, the usual one first.
    pub case_modes: &'static [CaseMode],
    /// A mount can be taken away although programs use it.
    pub forced_unmount: bool,
    /// Programs that watch a folder are told what other clients change in it.
    pub notifications: bool,
    /// Locks hold between computers.
    pub locks_across_hosts: bool,
    /// Extended attributes are served.
    pub extended_attributes: bool,
    /// Lists of rights are kept, beyond the bits of owner, group and others.
    pub access_lists: bool,
}

/// Why there is no mount, in terms somebody can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountProblem {
    /// The driver is not installed, or does not run.
    DriverMissing,
    /// The driver is older than this program can use.
    DriverTooOld,
    /// The mount point is taken.
    InUse,
    /// The folder has entries, which a mount would hide.
    NotEmpty,
    /// The mount point, or the folder that it is to be in, does not exist.
    NotFound,
    /// It is no place that this backend can mount at.
    NotSupported,
    /// The system does not allow it to this user.
    Refused,
    /// Anything else that the system answered.
    System,
}

/// A mount that was not made: what kind of problem, the system's answer and what to do.
#[derive(Debug)]
pub struct MountError {
    problem: MountProblem,
    error: HostError,
}

impl MountError {
    /// A failure of this kind.
    pub fn new(problem: MountProblem, error: HostError) -> MountError {
        MountError { problem, error }
    }

    /// What kind of failure.
    pub fn problem(&self) -> MountProblem {
        self.problem
    }

    /// What failed, and what to do.
    pub fn error(&self) -> &HostError {
        &self.error
    }
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for MountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// A way of making a volume appear at a mount point.
pub trait MountBackend {
    /// What is served.
    type Volume;
    /// How it is served.
    type Options;
    /// A volume that appeared.
    type Session: MountSession;

    /// What it can do on this computer.
    fn capabilities(&self) -> MountCapabilities;

    /// Whether its driver is there and new enough. Blocks the thread for some milliseconds.
    ///
    /// # Errors
    /// `DriverMissing`, `DriverTooOld`, or `Refused` where this user may not use it.
    fn check(&self) -> Result<(), MountError>;

    /// Makes the volume appear; on return it answers, or will at once. Blocks the thread.
    ///
    /// # Errors
    /// Each of the problems that [`MountProblem`] names.
    fn mount(
        &self,
        volume: &Self::Volume,
        point: &MountPoint,
        options: &Self::Options,
    ) -> Result<Self::Session, MountError>;
}

/// A mount that is served.
pub trait MountSession: Send {
    /// Blocks until the mount is gone, by whomever, and the last request is answered.
    ///
    /// # Errors
    /// That serving ended otherwise.
    fn wait(self) -> Result<(), MountError>;
}
