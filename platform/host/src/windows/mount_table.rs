//! What is mounted where: nothing yet, since this build mounts no volumes here.

use std::path::PathBuf;

use crate::HostError;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountEntry {
    /// Where.
    pub point: PathBuf,
    /// Type of the file system.
    pub kind: String,
    /// What is mounted, as the mounter called it.
    pub source: String,
    /// Nothing can be changed through it.
    pub read_only: bool,
}

impl MountEntry {
    /// Whether a process serves it.
    pub fn is_fuse(&self) -> bool {
        false
    }

    /// Whether another user made it.
    pub fn is_of_another_user(&self) -> bool {
        false
    }
}

/// The mounts of volumes that this process sees.
///
/// # Errors
/// None.
pub fn mounts() -> Result<Vec<MountEntry>, HostError> {
    Ok(Vec::new())
}
