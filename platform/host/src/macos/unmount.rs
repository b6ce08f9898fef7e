//! Taking a mount away.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::MntFlags;

use crate::HostError;
use crate::unmount_request::{Holder, Unmount};

/// Unmounts a path.
///
/// # Errors
/// What the system answers.
pub fn unmount(path: &Path, how: Unmount) -> Result<(), HostError> {
    let flags = match how {
        Unmount::Clean => MntFlags::empty(),
        Unmount::Force => MntFlags::MNT_FORCE,
        Unmount::Lazy => {
            return Err(HostError::new("macOS does not detach a mount that is in use")
                .with_advice("Close the programs that use it, or take it away from them with `--force`."));
        }
    };
    nix::mount::unmount(path, flags).map_err(|error| {
        let what =
            HostError::new(format!("unmounting {}", path.display())).with_source(io::Error::from(error));
        match error {
            Errno::EBUSY => what.with_advice(format!(
                "Something still uses it; `lsof {}` tells what. Close it, or use `--force`.",
                path.display()
            )),
            _ => what,
        }
    })
}

/// Processes that use a mount: macOS tells its own tools alone.
pub fn holders(_path: &Path) -> Vec<Holder> {
    Vec::new()
}
