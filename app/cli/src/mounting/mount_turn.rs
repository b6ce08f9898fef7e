//! One process of a user at a time looks whether a folder is free and mounts on it.

use std::fs::File;
use std::path::Path;

use moorage_host::Folders;
use moorage_model::{Error, ErrorKind, Result};

use super::host_error;

/// The file in the state folder whose lock is the turn. It stays: a lock on a removed file would be nobody's.
const TURN: &str = "mounting.lock";

/// The turn; it ends when this is dropped, or with the process.
#[derive(Debug)]
pub(super) struct MountTurn {
    _locked: File,
}

impl MountTurn {
    /// Waits until no other process mounts, which takes one of them some milliseconds.
    ///
    /// # Errors
    /// `Io` when the state folder can not be used.
    pub(super) fn wait(state: &Path) -> Result<MountTurn> {
        let path = state.join(TURN);
        Folders::make_private(state).map_err(|error| host_error(ErrorKind::Io, &error))?;
        let opened = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let locked = opened
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("{} can not be locked", path.display()))
                    .with_source(error)
                    .with_advice(
                        "Check that this user can write there, or set XDG_STATE_HOME to another folder.",
                    )
            })?;
        Ok(MountTurn { _locked: locked })
    }
}
