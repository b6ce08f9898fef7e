//! The log of a background mount, and of an agent that nobody watches.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use moorage_host::Folders;
use moorage_model::{Error, ErrorKind, Result};

use super::host_error;

/// Size from which the log is set aside, so that a store that is down for days fills no disk. One older log is kept.
const LARGEST_BYTES: u64 = 8 << 20;

/// An append-only log of bounded size.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens the log of a mount point in the state folder of this user, or the file that the user named.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(named: Option<&Path>, point: &Path, folders: &Folders) -> Result<LogFile> {
        match named {
            Some(path) => {
                let path = std::path::absolute(path).map_err(|error| failed(path, error))?;
                LogFile::at(path, "Name another file with --log.")
            }
            None => LogFile::in_state(LogFile::path_of_mount(point, folders)),
        }
    }

    /// Opens the log of the agent in the state folder of this user.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn of_agent(folders: &Folders) -> Result<LogFile> {
        LogFile::in_state(LogFile::path_of_agent(folders))
    }

    /// Where the log of a mount is, unless the user named another file.
    pub(crate) fn path_of_mount(point: &Path, folders: &Folders) -> PathBuf {
        folder(folders).join(super::record::file_name(point, "log"))
    }

    /// Where the log of the agent is. The names of those of mounts begin otherwise.
    pub(crate) fn path_of_agent(folders: &Folders) -> PathBuf {
        folder(folders).join("agent.log")
    }

    fn in_state(path: PathBuf) -> Result<LogFile> {
        let folder = path.parent().unwrap_or(&path);
        Folders::make_private(folder).map_err(|error| host_error(ErrorKind::Io, &error))?;
        LogFile::at(
            path,
            "Check that you may write there and that the disk has space.",
        )
    }

    fn at(path: PathBuf, advice: &str) -> Result<LogFile> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(&path)
            .map_err(|error| failed(&path, error).with_advice(advice.to_owned()))?;
        let log = LogFile { path, file };
        log.limit();
        Ok(log)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for a child process.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub(crate) fn handle(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| failed(&self.path, error))
    }

    /// Sets a log that has grown too large aside. Writers append, so they go on at the new end.
    pub(crate) fn limit(&self) {
        let size = self.file.metadata().map_or(0, |metadata| metadata.len());
        if size > LARGEST_BYTES {
            let mut older = self.path.clone().into_os_string();
            older.push(".old");
            let moved = fs::copy(&self.path, PathBuf::from(older))
                .and_then(|_| self.empty())
                .and_then(|()| (&self.file).seek(SeekFrom::Start(0)));
            if let Err(error) = moved {
                tracing::warn!(%error, "the log can not be set aside");
            }
        }
    }
}

#[cfg(unix)]
impl LogFile {
    fn empty(&self) -> std::io::Result<()> {
        self.file.set_len(0)
    }
}

#[cfg(windows)]
impl LogFile {
    /// A handle that appends may not do it.
    fn empty(&self) -> std::io::Result<()> {
        OpenOptions::new().write(true).open(&self.path)?.set_len(0)
    }
}

fn folder(folders: &Folders) -> PathBuf {
    folders.state.join("log")
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("opening the log {}", path.display())).with_source(error)
}
