//! The folder that a volume appears at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::statfs::statfs;

use crate::mount_entry::MountEntry;
use crate::mount_table::mounts;
use crate::{HostError, Unmount, unmount};

/// How long a mount may take to say its sizes before it counts as one that lives and hangs: a dead one answers at once.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// What is at a mount point before mounting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountPointState {
    /// Nothing.
    Missing,
    /// Something that is no folder.
    NotDirectory,
    /// An empty folder.
    Empty,
    /// A folder with entries, which a mount hides.
    NotEmpty,
    /// A FUSE mount with a process behind it, though that may be slow to answer.
    Mounted(MountEntry),
    /// A FUSE mount whose process is gone.
    Stale(MountEntry),
}

/// An absolute path without symbolic links, which need not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    path: PathBuf,
}

impl MountPoint {
    /// Resolves a path as the user wrote it. A dead mount cannot be asked, so only its parent is.
    ///
    /// # Errors
    /// When the parent folder does not exist or the path ends in no name.
    pub fn resolve(path: &Path) -> Result<MountPoint, HostError> {
        if let Ok(path) = fs::canonicalize(path) {
            return Ok(MountPoint { path });
        }
        let failed = |error: io::Error| {
            HostError::new(format!("mount point {}", path.display()))
                .with_advice("Give an existing folder, or make it with `mkdir -p`.")
                .with_source(error)
        };
        let absolute = std::path::absolute(path).map_err(failed)?;
        let name = absolute
            .file_name()
            .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        let parent = absolute.parent().unwrap_or(Path::new("/"));
        let path = fs::canonicalize(parent).map_err(failed)?.join(name);
        Ok(MountPoint { path })
    }

    /// Whether a path names one place, whatever folder a program works in.
    pub fn is_whole(path: &Path) -> bool {
        path.is_absolute()
    }

    /// The resolved path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mount that covers all others at this path.
    ///
    /// # Errors
    /// When the mount table cannot be read.
    pub fn mount(&self) -> Result<Option<MountEntry>, HostError> {
        Ok(mounts()?.into_iter().rev().find(|entry| entry.point == self.path))
    }

    /// Asks what is there whether it answers. Blocks the thread until it does.
    ///
    /// # Errors
    /// What it answers.
    pub fn check_answers(&self) -> io::Result<()> {
        // Attributes may be known to the kernel; sizes are asked for each time.
        statfs(&self.path).map(drop).map_err(io::Error::from)
    }

    /// What is there now.
    ///
    /// # Errors
    /// When it can be neither read nor judged.
    pub fn state(&self) -> Result<MountPointState, HostError> {
        let mount = self.mount()?.filter(MountEntry::is_fuse);
        if let Some(entry) = mount {
            return Ok(if self.is_dead() {
                MountPointState::Stale(entry)
            } else {
                MountPointState::Mounted(entry)
            });
        }
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(MountPointState::Missing),
            Err(error) => return Err(self.failed(error)),
        };
        if !metadata.is_dir() {
            return Ok(MountPointState::NotDirectory);
        }
        let mut entries = fs::read_dir(&self.path).map_err(|error| self.failed(error))?;
        Ok(match entries.next() {
            Some(_) => MountPointState::NotEmpty,
            None => MountPointState::Empty,
        })
    }

    /// Takes dead mounts away, so that the folder below can be mounted on again.
    ///
    /// # Errors
    /// When the system refuses; somebody else's dead mount needs root.
    pub fn clear_stale(&self) -> Result<(), HostError> {
        /// Dead mounts stacked on one point; more than a few mean that nothing is taken away.
        const STACKED: usize = 16;
        for _ in 0..STACKED {
            match self.state()? {
                MountPointState::Stale(_) => unmount(&self.path, Unmount::Lazy)?,
                _ => return Ok(()),
            }
        }
        Err(HostError::new(format!(
            "more than {STACKED} dead mounts lie on {}",
            self.path.display()
        )))
    }

    /// "Transport endpoint is not connected", or a connection that was aborted. Sizes are asked for because the kernel
    /// remembers them never, and attributes of a dead mount for a while.
    ///
    /// The question can not be taken back, so a thread asks: a process that hangs must not make its `umount` hang too.
    fn is_dead(&self) -> bool {
        let (answer, answered) = mpsc::channel();
        let path = self.path.clone();
        let asking = thread::Builder::new().spawn(move || {
            let dead = matches!(statfs(&path), Err(Errno::ENOTCONN | Errno::ECONNABORTED));
            // Nobody may be waiting any more.
            let _ = answer.send(dead);
        });
        asking.is_ok() && answered.recv_timeout(ANSWER_PATIENCE).unwrap_or(false)
    }

    fn failed(&self, error: io::Error) -> HostError {
        HostError::new(format!("mount point {}", self.path.display())).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::{MountPoint, MountPointState};

    #[test]
    fn a_missing_folder_with_a_parent_resolves_and_says_so() {
        let folder = tempfile::tempdir().expect("folder");
        let point = MountPoint::resolve(&folder.path().join("none")).expect("resolves");
        assert_eq!(point.state().expect("state"), MountPointState::Missing);
    }

    #[test]
    fn files_and_full_folders_are_told_apart_from_empty_ones() {
        let folder = tempfile::tempdir().expect("folder");
        let point = MountPoint::resolve(folder.path()).expect("resolves");
        assert_eq!(point.state().expect("state"), MountPointState::Empty);
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").expect("file");
        assert_eq!(point.state().expect("state"), MountPointState::NotEmpty);
        let point = MountPoint::resolve(&file).expect("resolves");
        assert_eq!(point.state().expect("state"), MountPointState::NotDirectory);
    }

    #[test]
    fn a_path_below_nothing_is_refused_with_advice() {
        let error = MountPoint::resolve(std::path::Path::new("/none/such/place")).expect_err("refused");
        assert!(error.to_string().contains("mkdir -p"), "{error}");
    }
}
