//! Taking a mount away; its process stores what was written, and is watched doing so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_host::{HostError, Unmount, holders, unmount};

use crate::mounts::Watched;
use crate::trouble::{caused, lasting, of_host};

/// Attempts for a mount that is in use by nobody else, and the pause between them.
const MOST_ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Unmounts; returns when the mount point is free.
///
/// # Errors
/// `mount_point_busy` with those who use it, when the system says so.
pub(crate) async fn take_away<T>(_table: &Arc<T>, volume: Watched, lazy: bool) -> Result<(), Problem> {
    let point = PathBuf::from(volume.settings.mount_point);
    let how = if lazy { Unmount::Lazy } else { Unmount::Clean };
    let shown = point.display().to_string();
    // It waits for the process of the mount, which may take its time.
    let outcome = tokio::task::spawn_blocking(move || patiently(&point, how)).await;
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(of_host(ProblemCode::MountPointBusy, &error)),
        Err(error) => Err(caused(
            lasting(
                ProblemCode::Internal,
                format!("unmounting {shown} was cut off"),
                "Unmount it again.",
            ),
            error,
        )),
    }
}

/// This process itself reads what a mount says of itself, and is then the one that uses it, for a moment.
fn patiently(point: &Path, how: Unmount) -> Result<(), HostError> {
    let mut attempts = 1;
    loop {
        let outcome = unmount(point, how);
        let refusal = outcome.as_ref().err().and_then(HostError::io);
        let busy = refusal.is_some_and(|error| error.kind() == std::io::ErrorKind::ResourceBusy);
        if !busy || attempts >= MOST_ATTEMPTS || !holders(point).is_empty() {
            return outcome;
        }
        attempts += 1;
        std::thread::sleep(PAUSE);
    }
}
