//! Whether volumes can be mounted, and where.

use std::path::Path;

use moorage_host::MountPoint;
use moorage_model::{ErrorKind, Result};

use super::{host_error, mount_error};

/// Checks the driver and resolves the mount point; whether it is free is for the backend to see.
///
/// # Errors
/// What is in the way and what to do about it.
pub(crate) fn prepare(path: &Path) -> Result<MountPoint> {
    moorage_host::check_driver().map_err(|error| mount_error(&error))?;
    MountPoint::resolve(path).map_err(|error| host_error(ErrorKind::NotFound, &error))
}
