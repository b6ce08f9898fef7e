//! From a path on this computer to the volume that is mounted there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use moorage_host::{Folders, MountEntry};
use moorage_meta::Context;
use moorage_model::{Error, ErrorKind, Ino, Name, Result};
use moorage_vfs::refusal_in_root;

use crate::arguments::MetaUrl;
use crate::mounting::{MountRecord, host_error};

/// A place inside a mounted volume.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// The volume.
    pub(crate) url: MetaUrl,
    /// Where in it.
    pub(crate) place: Place,
}

/// Where something lies in a volume, and whether it was named in a way that allows changes.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where.
    pub(crate) at: At,
    /// The mount point, when it was named as a path of a read-only mount.
    read_only: Option<PathBuf>,
    /// The path as it was given, when it ends in `.` or `..` and so leads to a folder without naming an entry.
    nameless: Option<PathBuf>,
}

impl Place {
    /// At a path from the root of a volume whose metadata URL was given.
    pub(crate) fn in_volume(path: Vec<u8>) -> Place {
        Place {
            at: At::Path(path),
            read_only: None,
            nameless: None,
        }
    }

    /// Refuses a path of a mount that ends in `.` or `..`: what would be changed is an entry of a folder that the path
    /// does not show.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn check_named(&self) -> Result<()> {
        let Some(path) = &self.nameless else {
            return Ok(());
        };
        let what = format!("{} ends in . or .. and not in a name", path.display());
        Err(Error::new(ErrorKind::InvalidArgument, what)
            .with_advice("Write the path with the name of what is meant."))
    }

    /// Refuses to make something where a mount has a node of its own, which would hide it: in the root of the volume, and
    /// in the folder that a mount of one folder shows as its root.
    ///
    /// # Errors
    /// As the mount answers who makes a file there: `Exists`, and `NotPermitted` for the trash.
    pub(crate) fn refuse_hidden(&self, folder: Ino, name: &Name) -> Result<()> {
        let root = match &self.at {
            At::Path(_) => Ino::ROOT,
            At::Shown(path) => path.root,
        };
        let refusal = refusal_in_root(name).filter(|_| folder == Ino::ROOT || folder == root);
        let Some(kind) = refusal else { return Ok(()) };
        let shown = String::from_utf8_lossy(name.as_bytes());
        Err(Error::new(
            kind,
            format!("{shown} is a name that every mount has for itself in its root"),
        )
        .with_advice("Choose another name."))
    }

    /// Refuses a change of what a read-only mount shows: who mounted it so wanted it safe from commands on its paths.
    ///
    /// # Errors
    /// `ReadOnly`.
    pub(crate) fn check_writable(&self) -> Result<()> {
        let Some(point) = &self.read_only else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::ReadOnly,
            format!("the mount at {} is read-only", point.display()),
        )
        .with_advice(
            "Give a path of a mount that can be written, or the metadata URL and a path inside the volume.",
        ))
    }
}

/// A place of a volume.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// At a path from the root of the volume; bytes as they are stored.
    Path(Vec<u8>),
    /// Where a mount of one folder of the volume shows it. What lies above that folder may be renamed at any time,
    /// so the mount says which node it is, not a path.
    Shown(ShownPath),
}

/// A path through a mount of one folder of a volume.
#[derive(Clone, Debug)]
pub(crate) struct ShownPath {
    /// The path on this computer; its last name need not exist.
    path: PathBuf,
    /// The mount point.
    point: PathBuf,
    /// The stored inode that the mount shows as number 1.
    root: Ino,
}

impl ShownPath {
    /// The stored inode of the node that has this path in the mount now.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`; `NotFound` when the path has left the mount.
    pub(crate) fn node(&self) -> Result<Ino> {
        self.node_at(&self.path)
    }

    /// The stored inode of the folder and the name in it.
    ///
    /// # Errors
    /// As [`ShownPath::node`]; `InvalidArgument` for the mount point itself.
    pub(crate) fn entry(&self) -> Result<(Ino, Name)> {
        let parts = (self.path.parent(), self.path.file_name());
        let (Some(folder), Some(name)) = parts else {
            return Err(nameless());
        };
        if self.path == self.point {
            return Err(nameless());
        }
        Ok((self.node_at(folder)?, Name::new(name.as_encoded_bytes())?))
    }

    #[cfg(unix)]
    fn node_at(&self, path: &Path) -> Result<Ino> {
        use std::os::unix::fs::MetadataExt as _;
        let look = |path: &Path| std::fs::symlink_metadata(path).map_err(|error| unseen(path, error));
        let (found, point) = (look(path)?, look(&self.point)?);
        if found.dev() != point.dev() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{} is not in the mount at {}",
                    path.display(),
                    self.point.display()
                ),
            ));
        }
        // A mount calls its root 1, whatever its inode is.
        Ok(match Ino(found.ino()) {
            Ino::ROOT => self.root,
            ino => ino,
        })
    }

    #[cfg(not(unix))]
    fn node_at(&self, path: &Path) -> Result<Ino> {
        Err(Error::new(
            ErrorKind::NotSupported,
            format!("{} is in a mount of one folder", path.display()),
        ))
    }

    /// The path on this computer.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A path that the system does not show.
pub(crate) fn unseen(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
        _ => ErrorKind::NotFound,
    };
    Error::new(kind, format!("{} can not be looked at", path.display())).with_source(error)
}

fn nameless() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "the root of a mount has no name of its own",
    )
    .with_advice("Name something inside it.")
}

/// Finds the volume that a path lies in. The last name need not exist.
///
/// # Errors
/// `NotFound` when the path lies in no mounted volume of Moorage; `NotPermitted` or `AccessDenied` when it lies in one
/// that another user mounted; `NotSupported` when an older version mounted only a folder of the volume there.
pub(crate) fn find(path: &Path) -> Result<Inside> {
    let whole = absolute(path)?;
    let nameless = ends_in_dots(path).then(|| path.to_owned());
    let mount = mount_of(&whole)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("{} is in no mounted volume", path.display()),
        )
        .with_advice("Give a path of a mounted volume, or the metadata URL and a path inside the volume.")
    })?;
    let record = record_of(&mount)?;
    let point = mount.point;
    let read_only = mount.read_only.then(|| point.clone());
    let url = MetaUrl::of_record(record.database);
    if !record.subdir.unwrap_or_default().trim_matches('/').is_empty() {
        let Some(root) = record.root else {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "which folder of its volume the mount at {} shows is not known",
                    point.display()
                ),
            )
            .with_advice("Mount it again, or give the metadata URL and a path inside the volume."));
        };
        let at = At::Shown(ShownPath {
            path: whole,
            point,
            root: Ino(root),
        });
        let place = Place {
            at,
            read_only,
            nameless,
        };
        return Ok(Inside { url, place });
    }
    let inside = whole.strip_prefix(&point).unwrap_or(Path::new(""));
    let path = Path::new("/").join(inside);
    let at = At::Path(path_bytes(path.as_os_str()));
    let place = Place {
        at,
        read_only,
        nameless,
    };
    Ok(Inside { url, place })
}

/// The path with its folder resolved: the last name itself may be a link, or not exist.
fn absolute(path: &Path) -> Result<PathBuf> {
    let named = |error| unseen(path, error);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !ends_in_dots(path) => {
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

/// Whether the last step of a path is `.` or `..`; [`Path`] passes over a `.` there.
fn ends_in_dots(path: &Path) -> bool {
    let steps = path.as_os_str().as_encoded_bytes();
    let last = steps
        .rsplit(|&byte| std::path::is_separator(char::from(byte)))
        .find(|step| !step.is_empty());
    matches!(last, Some(b"." | b".."))
}

/// The mount of ours that a path lies in.
pub(crate) fn mount_of(path: &Path) -> Result<Option<MountEntry>> {
    let mounts = moorage_host::mounts().map_err(|error| {
        Error::new(ErrorKind::Io, "the table of mounts can not be read").with_source(error)
    })?;
    let deepest = mounts
        .into_iter()
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count());
    Ok(deepest.filter(MountEntry::is_fuse))
}

/// What the user who mounted it wrote down about a mount.
fn record_of(mount: &MountEntry) -> Result<MountRecord> {
    let point = &mount.point;
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let record = MountRecord::find(&folders.state, point).filter(|record| !record.database.is_empty());
    let unknown = match mount.is_of_another_user() {
        true => ErrorKind::NotPermitted,
        false => ErrorKind::NotFound,
    };
    record.ok_or_else(|| {
        Error::new(
            unknown,
            format!("where the database of the mount at {} is, is not known to this user", point.display()),
        )
        .with_advice(
            "Run the command as the user who mounted it, or give the metadata URL and a path inside the volume.",
        )
    })
}

/// A path inside a volume as the bytes that its names have there.
#[cfg(unix)]
pub(crate) fn path_bytes(path: &OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_bytes().to_vec()
}

/// A path inside a volume as the bytes that its names have there.
#[cfg(not(unix))]
pub(crate) fn path_bytes(path: &OsStr) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// The calling user, for permission checks; the superuser is not checked.
#[cfg(unix)]
pub(crate) fn caller() -> Context {
    use moorage_model::{Gid, Uid};
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
