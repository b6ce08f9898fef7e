//! Whether a volume can be mounted at a folder.

use std::path::Path;

use moorage_host::{MountEntry, MountPoint, MountPointState};
use moorage_model::{Error, ErrorKind, Result};

use super::host_error;

/// Checks the mount point; `non_empty` lets it hold entries. A dead mount there is no obstacle: it is taken away right before mounting.
///
/// # Errors
/// What is in the way and what to do about it.
pub(crate) fn prepare(path: &Path, non_empty: bool) -> Result<MountPoint> {
    let point = MountPoint::resolve(path).map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let shown = point.path().display();
    let state = point.state().map_err(|error| host_error(ErrorKind::Io, &error))?;
    match state {
        MountPointState::Empty | MountPointState::Stale(_) => Ok(point),
        MountPointState::NotEmpty if non_empty => Ok(point),
        MountPointState::NotEmpty => Err(Error::new(
            ErrorKind::NotEmpty,
            format!("the folder {shown} is not empty"),
        )
        .with_advice("Give an empty folder; `moorage mount` can also hide what is in it while mounted, with `-o nonempty`.")),
        MountPointState::Missing => Err(Error::new(
            ErrorKind::NotFound,
            format!("the mount point {shown} does not exist"),
        )
        .with_advice(format!("Make it with `mkdir -p {shown}`."))),
        MountPointState::NotDirectory => Err(Error::new(
            ErrorKind::NotDirectory,
            format!("the mount point {shown} is not a folder"),
        )
        .with_advice("Give an empty folder.")),
        MountPointState::Mounted(entry) => Err(taken(&point, &entry)),
    }
}

/// Looks once more, right before mounting: another process may have mounted there since [`prepare`].
///
/// # Errors
/// `Busy`, naming what is mounted there.
pub(super) fn refuse_mounted(point: &MountPoint) -> Result<()> {
    match point.state().map_err(|error| host_error(ErrorKind::Io, &error))? {
        MountPointState::Mounted(entry) => Err(taken(point, &entry)),
        _ => Ok(()),
    }
}

fn taken(point: &MountPoint, entry: &MountEntry) -> Error {
    let shown = point.path().display();
    Error::new(
        ErrorKind::Busy,
        format!("{} is mounted at {shown} already", entry.source),
    )
    .with_advice(format!(
        "Use it, give another folder, or unmount it with `moorage umount {shown}`."
    ))
}
