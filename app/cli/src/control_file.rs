//! The command channel of a mount: the way to the process behind a path.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_meta::admin::Progress;
use moorage_model::{Error, ErrorKind, Ino, Result};
use moorage_vfs::control::{
    CacheReport, FolderReport, FolderRequest, PinReport, PinRequest, WarmUpRequest, ask,
};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use crate::{io_kind, mounted};

/// Names of the channel: the usual one, and that of mounts with prefixed names.
const NAMES: [&str; 2] = [".control", ".jfs.control"];
/// Its inode. A mount with the other name may have an ordinary file of this one.
const INODE: u64 = Ino::INTERNAL.0 + 2;

/// A path in a mount, with the way to ask its process.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The mount point.
    pub(crate) point: PathBuf,
    /// From the root of the mount, as its process knows it.
    pub(crate) inside: Vec<u8>,
}

impl Asked {
    /// Finds the mount that a path lies in; symbolic links are followed.
    ///
    /// # Errors
    /// `NotFound`, also for a path that lies in no mount; `AccessDenied`.
    pub(crate) fn find(path: &Path) -> Result<Asked> {
        let whole = path
            .canonicalize()
            .map_err(|error| mounted::unseen(path, error))?;
        let mount = mounted::mount_of(&whole)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("{} is in no mounted volume", path.display()),
            )
            .with_advice("Mount the volume: the cache belongs to its mount.")
        })?;
        let inside = whole.strip_prefix(&mount.point).unwrap_or(Path::new(""));
        let inside = mounted::path_bytes(Path::new("/").join(inside).as_os_str());
        Ok(Asked {
            point: mount.point,
            inside,
        })
    }

    /// Has the mount fill, drop or check its cache, and adds what it says meanwhile to `progress`.
    ///
    /// # Errors
    /// `NotFound` when no mount of Moorage is there, `AccessDenied` when this user may not ask it; what it answers.
    pub(crate) async fn warm_up(
        &self,
        request: WarmUpRequest,
        progress: Arc<Progress>,
    ) -> Result<CacheReport> {
        self.ask(WarmUpRequest::COMMAND, request.encode()?, progress)
            .await
    }

    /// Has the mount pin or unpin, or say what is pinned.
    ///
    /// # Errors
    /// As [`Asked::warm_up`].
    pub(crate) async fn pins(&self, request: &PinRequest) -> Result<PinReport> {
        self.ask(PinRequest::COMMAND, request.encode()?, Arc::default())
            .await
    }

    /// Has the mount list a part of a folder.
    ///
    /// # Errors
    /// As [`Asked::warm_up`].
    pub(crate) async fn folder(&self, request: &FolderRequest) -> Result<FolderReport> {
        self.ask(FolderRequest::COMMAND, request.encode()?, Arc::default())
            .await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        command: u32,
        payload: Vec<u8>,
        progress: Arc<Progress>,
    ) -> Result<T> {
        let point = self.point.clone();
        let answer = spawn_blocking(move || {
            let mut channel = open(&point)?;
            let mut told = (0, 0);
            let mut show = |items: u64, bytes: u64| {
                progress.add(items.saturating_sub(told.0), bytes.saturating_sub(told.1));
                told = (told.0.max(items), told.1.max(bytes));
            };
            ask(&mut channel, command, &payload, &mut show)
        });
        let answer = answer.await.map_err(|error| {
            Error::new(ErrorKind::Io, "the mount could not be asked").with_source(error)
        })??;
        serde_json::from_slice(&answer).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the answer of the mount can not be read").with_source(error)
        })
    }
}

/// Opens the channel, and nothing else that has its name.
fn open(point: &Path) -> Result<File> {
    for name in NAMES {
        let path = point.join(name);
        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) if is_channel(&file) => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("the mount at {} can not be asked", point.display());
                return Err(Error::new(io_kind::of(&error), what).with_source(error));
            }
        }
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!("what is mounted at {} is no volume of Moorage", point.display()),
    ))
}

#[cfg(unix)]
fn is_channel(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|found| found.ino() == INODE)
}

#[cfg(not(unix))]
fn is_channel(_: &File) -> bool {
    false
}
