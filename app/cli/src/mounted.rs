//! From a path on this computer to the volume that is mounted there.

use std::path::{Path, PathBuf};

use moorage_host::Folders;
use moorage_meta::Context;
use moorage_model::{Error, ErrorKind, Gid, Result, Uid};

use crate::arguments::MetaUrl;
use crate::mounting::{MountRecord, host_error};

/// A place inside a mounted volume.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// The volume.
    pub(crate) url: MetaUrl,
    /// The path from the root of the volume.
    pub(crate) path: Vec<u8>,
}

/// Finds the volume that a path lies in. The last name need not exist.
///
/// # Errors
/// `NotFound` when the path lies in no mounted volume of Moorage, or in one that another user mounted;
/// `NotSupported` when only a folder of the volume is mounted there.
pub(crate) fn find(path: &Path) -> Result<Inside> {
    let whole = absolute(path)?;
    let point = mount_point(&whole)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("{} is in no mounted volume", path.display()),
        )
        .with_advice("Give a path of a mounted volume, or the metadata URL and a path inside the volume.")
    })?;
    let (url, subdir) = told_by(&point)?;
    if !subdir.trim_matches('/').is_empty() {
        // The folder may have another name by now, and another folder its old one: a wrong file would be meant.
        return Err(Error::new(
            ErrorKind::NotSupported,
            format!(
                "the mount at {} shows only a folder of its volume",
                point.display()
            ),
        )
        .with_advice("Give the metadata URL and a path inside the volume."));
    }
    let inside = whole.strip_prefix(&point).unwrap_or(Path::new(""));
    let path = Path::new("/").join(inside);
    Ok(Inside {
        url,
        path: bytes(&path),
    })
}

/// The path with its folder resolved: the last name itself may be a link, or not exist.
fn absolute(path: &Path) -> Result<PathBuf> {
    let named = |error| {
        Error::new(
            ErrorKind::NotFound,
            format!("{} can not be found", path.display()),
        )
        .with_source(error)
    };
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            Ok(folder.canonicalize().map_err(named)?.join(name))
        }
        _ => path.canonicalize().map_err(named),
    }
}

/// The mount of ours that a path lies in.
fn mount_point(path: &Path) -> Result<Option<PathBuf>> {
    let mounts = moorage_host::mounts().map_err(|error| {
        Error::new(ErrorKind::Io, "the table of mounts can not be read").with_source(error)
    })?;
    let deepest = mounts
        .into_iter()
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count());
    Ok(deepest
        .filter(moorage_host::MountEntry::is_fuse)
        .map(|mount| mount.point))
}

/// Metadata URL and sub-directory of a mount, by the record of the user who mounted it.
fn told_by(point: &Path) -> Result<(MetaUrl, String)> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let record = MountRecord::find(&folders.state, point).filter(|record| !record.database.is_empty());
    let record = record.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("where the database of the mount at {} is, is not known to this user", point.display()),
        )
        .with_advice(
            "Run the command as the user who mounted it, or give the metadata URL and a path inside the volume.",
        )
    })?;
    Ok((MetaUrl::from(record.database), record.subdir.unwrap_or_default()))
}

#[cfg(unix)]
fn bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// The calling user, for permission checks; the superuser is not checked.
#[cfg(unix)]
pub(crate) fn caller() -> Context {
    let groups = nix::unistd::getgroups().unwrap_or_default();
    let uid = nix::unistd::geteuid();
    Context {
        uid: Uid(uid.as_raw()),
        gid: Gid(nix::unistd::getegid().as_raw()),
        groups: groups.into_iter().map(|group| Gid(group.as_raw())).collect(),
        pid: std::process::id(),
        check_permission: !uid.is_root(),
    }
}

#[cfg(not(unix))]
pub(crate) fn caller() -> Context {
    Context::root()
}

/// The bits that files made by this process lose.
#[cfg(unix)]
pub(crate) fn umask() -> u16 {
    use nix::sys::stat::{Mode, umask};
    // It can be read only by setting it; no other thread makes files now.
    let mask = umask(Mode::empty());
    umask(mask);
    u16::try_from(mask.bits()).unwrap_or(0)
}

#[cfg(not(unix))]
pub(crate) fn umask() -> u16 {
    0
}
