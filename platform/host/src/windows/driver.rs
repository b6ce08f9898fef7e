//! Whether this computer can mount volumes: not with this version.

use crate::HostError;

/// Checks that the calling user can mount volumes.
///
/// # Errors
/// Always: this version has no driver's backend on Windows.
pub fn check_driver() -> Result<(), HostError> {
    Err(
        HostError::new("volumes can not be mounted on Windows by this version").with_advice(
            "Copy files into a volume and out of it with `moorage sync`, or mount the volume on a computer with Linux.",
        ),
    )
}
