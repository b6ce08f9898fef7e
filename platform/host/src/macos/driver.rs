//! Whether this computer can mount: what ships with macOS does, a client of NFS.

use std::path::Path;

use crate::{HostError, MountError, MountProblem};

/// What mounts NFS.
const CLIENT: &str = "/sbin/mount_nfs";

/// Checks that the calling user can mount.
///
/// # Errors
/// `DriverMissing`.
pub fn check_driver() -> Result<(), MountError> {
    if Path::new(CLIENT).is_file() {
        return Ok(());
    }
    let missing = HostError::new(format!("{CLIENT} is missing, which mounts NFS"))
        .with_advice("It is a part of macOS; install the system's update again.");
    Err(MountError::new(MountProblem::DriverMissing, missing))
}
