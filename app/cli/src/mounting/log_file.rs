//! The log of a background mount.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
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
        let path = match named {
            Some(path) => std::path::absolute(path).map_err(|error| failed(path, error))?,
            None => {
                let folder = folders.state.join("log");
                Folders::make_private(&folder).map_err(|error| host_error(ErrorKind::Io, &error))?;
                folder.join(super::record::file_name(point, "log"))
            }
        };
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
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
                .and_then(|_| self.file.set_len(0))
                .and_then(|()| (&self.file).seek(SeekFrom::Start(0)));
            if let Err(error) = moved {
                tracing::warn!(%error, "the log can not be set aside");
            }
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("opening the log {}", path.display()))
        .with_source(error)
        .with_advice("Name another file with --log.")
}
