//! Unix: descriptors of folders, and calls relative to them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use moorage_model::{Gid, Timestamp, Uid};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::{Last, Node};
use crate::{Abilities, Kind, Permissions, RelativePath, Version};

/// What a folder of this system keeps.
pub(in super::super) const ABILITIES: Abilities = Abilities {
    folders: true,
    links: true,
    times: true,
    fine_times: false,
    permissions: true,
};
/// Flags of a step down: a folder itself, never a link to one.
const STEP: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Flags of a file to read; a pipe keeps nobody waiting.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
/// Flags of a file that is made.
const CREATE: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Bits of a new folder before the umask.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);
/// Bits of a new file before the umask.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);

/// An open folder.
#[derive(Debug)]
pub(in super::super) struct OpenFolder(OwnedFd);

impl OpenFolder {
    /// Opens a folder as it was given, over links.
    pub(in super::super) fn open(path: &Path) -> Result<OpenFolder> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(OpenFolder(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The same folder, opened again.
    pub(in super::super) fn again(&self) -> Result<OpenFolder> {
        self.step(b".")
    }

    /// A folder in it.
    ///
    /// # Errors
    /// Such that [`super::is_no_folder`] where it is none.
    pub(in super::super) fn step(&self, name: &[u8]) -> Result<OpenFolder> {
        Ok(OpenFolder(rustix::fs::openat(
            &self.0,
            os(name),
            STEP,
            Mode::empty(),
        )?))
    }

    /// A folder below it, over links.
    pub(in super::super) fn folder_over_links(&self, path: &RelativePath) -> Result<OpenFolder> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(OpenFolder(rustix::fs::openat(
            &self.0,
            os(path.as_bytes()),
            flags,
            Mode::empty(),
        )?))
    }

    /// A file below it to read, over links.
    pub(in super::super) fn file_over_links(&self, path: &RelativePath) -> Result<File> {
        Ok(rustix::fs::openat(&self.0, os(path.as_bytes()), READ, Mode::empty())?.into())
    }

    /// A file in it to read.
    pub(in super::super) fn file(&self, name: &[u8]) -> Result<File> {
        Ok(rustix::fs::openat(&self.0, os(name), READ | OFlags::NOFOLLOW, Mode::empty())?.into())
    }

    /// A new file in it.
    pub(in super::super) fn create(&self, name: &[u8]) -> Result<File> {
        Ok(rustix::fs::openat(&self.0, os(name), CREATE, FILE_MODE)?.into())
    }

    /// Makes a folder in it.
    pub(in super::super) fn make_folder(&self, name: &[u8]) -> Result<()> {
        Ok(rustix::fs::mkdirat(&self.0, os(name), FOLDER_MODE)?)
    }

    /// The folder itself.
    pub(in super::super) fn node(&self) -> Result<Node> {
        Ok(node(&rustix::fs::fstat(&self.0)?))
    }

    /// What has this name.
    pub(in super::super) fn look(&self, name: &[u8], last: Last) -> Result<Node> {
        let flags = match last {
            Last::Itself => AtFlags::SYMLINK_NOFOLLOW,
            Last::Target => AtFlags::empty(),
        };
        Ok(node(&rustix::fs::statat(&self.0, os(name), flags)?))
    }

    /// Tells every name with its kind, where the folder says it.
    pub(in super::super) fn each_name(&self, mut tell: impl FnMut(&[u8], Option<Kind>)) -> Result<()> {
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                let kind = match entry.file_type() {
                    FileType::Unknown => None,
                    known => Some(kind(known)),
                };
                tell(name, kind);
            }
        }
        Ok(())
    }

    /// Gives a name to what has another one, in place of what has it.
    pub(in super::super) fn rename(&self, old: &[u8], new: &[u8]) -> Result<()> {
        Ok(rustix::fs::renameat(&self.0, os(old), &self.0, os(new))?)
    }

    /// Has two names change places.
    ///
    /// # Errors
    /// `Unsupported` where the system can not.
    pub(in super::super) fn exchange(&self, one: &[u8], other: &[u8]) -> Result<()> {
        match rustix::fs::renameat_with(&self.0, os(one), &self.0, os(other), RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
            other => Ok(other?),
        }
    }

    /// Renames to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists` when it is not.
    pub(in super::super) fn rename_to_free(&self, old: &[u8], folder: &OpenFolder, new: &[u8]) -> Result<()> {
        let (from, to) = (&self.0, &folder.0);
        let (old, new) = (os(old), os(new));
        match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            other => return Ok(other?),
        }
        let stat = rustix::fs::statat(from, old, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return match rustix::fs::statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
                // Only an empty folder would be replaced by a folder that came in between.
                Err(Errno::NOENT) => Ok(rustix::fs::renameat(from, old, to, new)?),
                Ok(_) => Err(Errno::EXIST.into()),
                Err(error) => Err(error.into()),
            };
        }
        rustix::fs::linkat(from, old, to, new, AtFlags::empty())?;
        Ok(rustix::fs::unlinkat(from, old, AtFlags::empty())?)
    }

    /// Removes a file or a link.
    pub(in super::super) fn remove_file(&self, name: &[u8]) -> Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, os(name), AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub(in super::super) fn remove_folder(&self, name: &[u8]) -> Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, os(name), AtFlags::REMOVEDIR)?)
    }

    /// Where a link leads.
    pub(in super::super) fn link_target(&self, name: &[u8]) -> Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.0, os(name), Vec::new())?.into_bytes())
    }

    /// Makes a link.
    pub(in super::super) fn make_link(&self, name: &[u8], target: &[u8]) -> Result<()> {
        Ok(rustix::fs::symlinkat(os(target), &self.0, os(name))?)
    }

    /// Sets owner and bits, those of a link itself.
    pub(in super::super) fn set_permissions(&self, name: &[u8], permissions: Permissions) -> Result<()> {
        let name = os(name);
        let (uid, gid) = owner(permissions);
        allowed(rustix::fs::chownat(
            &self.0,
            name,
            uid,
            gid,
            AtFlags::SYMLINK_NOFOLLOW,
        ))?;
        let found = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::Symlink {
            // Opened without following, since changing the mode follows links.
            let node = rustix::fs::openat(&self.0, name, READ | OFlags::NOFOLLOW, Mode::empty())?;
            rustix::fs::fchmod(&node, Mode::from_bits_truncate(permissions.mode.into()))?;
        }
        Ok(())
    }

    /// Sets the time of change, of a link itself.
    pub(in super::super) fn set_modified(&self, name: &[u8], modified: Timestamp) -> Result<()> {
        let times = times(modified);
        Ok(rustix::fs::utimensat(
            &self.0,
            os(name),
            &times,
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }

    /// Has the file system store all that was written.
    #[cfg(target_os = "linux")]
    pub(in super::super) fn sync(&self) -> Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }

    /// Has all file systems store what was written.
    #[cfg(not(target_os = "linux"))]
    pub(in super::super) fn sync(&self) -> Result<()> {
        rustix::fs::sync();
        Ok(())
    }
}

/// Gives a written file its owner, bits and time, before it gets its name.
pub(in super::super) fn finish_file(
    file: &impl AsFd,
    permissions: Option<Permissions>,
    modified: Option<Timestamp>,
) -> Result<()> {
    if let Some(permissions) = permissions {
        let (uid, gid) = owner(permissions);
        allowed(rustix::fs::fchown(file, uid, gid))?;
        rustix::fs::fchmod(file, Mode::from_bits_truncate(permissions.mode.into()))?;
    }
    if let Some(modified) = modified {
        rustix::fs::futimens(file, &times(modified))?;
    }
    Ok(())
}

/// An open file.
pub(in super::super) fn node_of(file: &impl AsFd) -> Result<Node> {
    Ok(node(&rustix::fs::fstat(file)?))
}

/// Whether a path leads over too many links, or over one where none may be.
pub(in super::super) fn is_circle(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// A path below a folder as a person finds it.
pub(in super::super) fn joined(root: &Path, path: &RelativePath) -> PathBuf {
    root.join(os(path.as_bytes()))
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    }
}

#[expect(
    clippy::unnecessary_cast,
    reason = "the types of these fields are those of the platform"
)]
fn node(stat: &Stat) -> Node {
    let time =
        |seconds: i64, nanoseconds: u64| Timestamp::new(seconds, u32::try_from(nanoseconds).unwrap_or(0));
    Node {
        kind: kind(FileType::from_raw_mode(stat.st_mode)),
        version: Version {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: Some(time(stat.st_ctime as i64, stat.st_ctime_nsec as u64)),
            node: Some(stat.st_ino as u64),
        },
        permissions: Some(Permissions {
            mode: (stat.st_mode & 0o7777) as u16,
            uid: Uid(stat.st_uid),
            gid: Gid(stat.st_gid),
        }),
        identity: (stat.st_dev as u64, stat.st_ino as u64),
    }
}

/// The times of a file that was changed at an instant; when it was read stays as it is.
fn times(modified: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds,
            tv_nsec: modified.nanoseconds.into(),
        },
    }
}

fn owner(permissions: Permissions) -> (Option<rustix::fs::Uid>, Option<rustix::fs::Gid>) {
    (
        Some(rustix::fs::Uid::from_raw(permissions.uid.0)),
        Some(rustix::fs::Gid::from_raw(permissions.gid.0)),
    )
}

/// Whoever may not give files away keeps them, as `cp --preserve` does.
fn allowed(changed: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match changed {
        Err(Errno::PERM) => Ok(()),
        other => other,
    }
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
