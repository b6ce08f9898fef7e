//! Whether volumes can be mounted, and where.

use std::path::{Path, PathBuf};

use moorage_host::MountPoint;
use moorage_model::{Error, ErrorKind, Result};

use super::{host_error, mount_error, role};

/// Checks the driver and resolves the mount point; whether it is free is for the backend to see.
///
/// # Errors
/// What is in the way and what to do about it.
pub(crate) fn prepare(path: &Path) -> Result<MountPoint> {
    moorage_host::check_driver().map_err(|error| mount_error(&error))?;
    MountPoint::resolve(path).map_err(|error| host_error(ErrorKind::NotFound, &error))
}

/// The mount point of a mount for which nobody named one: a free drive. The processes of a mount have the same one.
///
/// # Errors
/// `Busy` when no letter is free.
pub(crate) fn free_point() -> Result<PathBuf> {
    let chosen = role::chosen_point();
    let free = || MountPoint::free_drive(&[]).map(|drive| drive.path().to_owned());
    chosen.or_else(free).ok_or_else(|| {
        Error::new(ErrorKind::Busy, "no drive is free")
            .with_advice("Name a folder that does not exist yet, in one that does.")
    })
}
