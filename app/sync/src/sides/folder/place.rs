//! Reaching names below the root without following a symbolic link.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};

use crate::RelativePath;

/// Flags of a step down: a folder itself, never a link to one.
const STEP: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Bits of a new folder before the umask.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);

/// The open root of a folder side.
#[derive(Debug)]
pub(super) struct Root {
    /// None for one that is taken as empty.
    fd: Option<OwnedFd>,
    shown: PathBuf,
}

impl Root {
    pub(super) fn new(fd: Option<OwnedFd>, shown: PathBuf) -> Root {
        Root { fd, shown }
    }

    fn fd(&self) -> Result<&OwnedFd> {
        self.fd.as_ref().ok_or(Errno::NOENT)
    }

    /// Whether it does not exist, and is taken as empty.
    pub(super) fn is_missing(&self) -> bool {
        self.fd.is_none()
    }

    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    /// A path as a person finds it; for messages only.
    pub(super) fn full(&self, path: &RelativePath) -> PathBuf {
        super::joined(&self.shown, path)
    }

    /// Opens a folder, one call for each name.
    ///
    /// # Errors
    /// `NOTDIR` or `LOOP` where a step is no folder.
    pub(super) fn folder(&self, path: &RelativePath) -> Result<OwnedFd> {
        let mut at = rustix::fs::openat(self.fd()?, ".", STEP, Mode::empty())?;
        for name in path.names() {
            at = step(&at, name)?;
        }
        Ok(at)
    }

    /// Opens a folder whose path may lead over symbolic links.
    pub(super) fn folder_over_links(&self, path: &RelativePath) -> Result<OwnedFd> {
        if path.is_root() {
            return self.folder(path);
        }
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(
            self.fd()?,
            OsStr::from_bytes(path.as_bytes()),
            flags,
            Mode::empty(),
        )
    }

    /// Opens a file whose path may lead over symbolic links.
    pub(super) fn file_over_links(&self, path: &RelativePath) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(
            self.fd()?,
            OsStr::from_bytes(path.as_bytes()),
            flags,
            Mode::empty(),
        )
    }

    /// The folder of a path, and the name in it.
    ///
    /// # Errors
    /// `INVAL` for the root.
    pub(super) fn parent(&self, path: &RelativePath) -> Result<(OwnedFd, Vec<u8>)> {
        let (folder, name) = path.split_last().ok_or(Errno::INVAL)?;
        Ok((self.folder(&folder)?, name.to_vec()))
    }

    /// As [`Root::parent`], making folders that are missing.
    pub(super) fn made_parent(&self, path: &RelativePath) -> Result<(OwnedFd, Vec<u8>)> {
        let (folder, name) = path.split_last().ok_or(Errno::INVAL)?;
        let parent = match self.folder(&folder) {
            Err(Errno::NOENT) => self.make_folder(&folder)?,
            other => other?,
        };
        Ok((parent, name.to_vec()))
    }

    /// Makes a folder and those above it, where they are missing.
    pub(super) fn make_folder(&self, path: &RelativePath) -> Result<OwnedFd> {
        let mut at = rustix::fs::openat(self.fd()?, ".", STEP, Mode::empty())?;
        for name in path.names() {
            at = match step(&at, name) {
                Err(Errno::NOENT) => {
                    match rustix::fs::mkdirat(&at, OsStr::from_bytes(name), FOLDER_MODE) {
                        // Another transfer was quicker.
                        Err(Errno::EXIST) | Ok(()) => {}
                        Err(error) => return Err(error),
                    }
                    step(&at, name)?
                }
                other => other?,
            };
        }
        Ok(at)
    }

    /// The state of a path, of a link itself.
    pub(super) fn stat(&self, path: &RelativePath) -> Result<Stat> {
        if path.is_root() {
            return rustix::fs::fstat(self.fd()?);
        }
        let (parent, name) = self.parent(path)?;
        rustix::fs::statat(&parent, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Has the file system store all that was written.
    #[cfg(target_os = "linux")]
    pub(super) fn sync(&self) -> Result<()> {
        rustix::fs::syncfs(self.fd()?)
    }

    /// Has all file systems store what was written.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync(&self) -> Result<()> {
        rustix::fs::sync();
        Ok(())
    }
}

fn step(folder: &OwnedFd, name: &[u8]) -> Result<OwnedFd> {
    rustix::fs::openat(folder, OsStr::from_bytes(name), STEP, Mode::empty())
}
