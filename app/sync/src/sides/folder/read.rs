//! Reading a file of a folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use moorage_model::Result;
use rustix::fs::{FileType, Mode, OFlags};
use tokio::io::AsyncReadExt as _;

use super::place::Root;
use super::version_of;
use crate::disk::failed;
use crate::side::PIECE_BYTES;
use crate::{Links, RelativePath, Source, Version};

/// An open file.
pub(super) struct FolderSource {
    file: tokio::fs::File,
    version: Version,
    shown: std::path::PathBuf,
}

impl FolderSource {
    /// Opens a regular file; anything else is refused, so that a pipe put there keeps nobody waiting.
    pub(super) fn open(root: &Root, path: &RelativePath, links: Links) -> io::Result<FolderSource> {
        let fd: OwnedFd = match links {
            Links::Follow => root.file_over_links(path)?,
            Links::Keep => {
                let (parent, name) = root.parent(path)?;
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                rustix::fs::openat(&parent, OsStr::from_bytes(&name), flags, Mode::empty())?
            }
        };
        let stat = rustix::fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        let mut file = tokio::fs::File::from_std(File::from(fd));
        file.set_max_buf_size(PIECE_BYTES);
        Ok(FolderSource {
            file,
            version: version_of(&stat),
            shown: root.full(path),
        })
    }

    fn failed(&self, error: io::Error) -> moorage_model::Error {
        failed(format!("reading {}", self.shown.display()), error)
    }
}

#[async_trait]
impl Source for FolderSource {
    fn version(&self) -> Version {
        self.version
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let mut piece = BytesMut::with_capacity(piece_size(self.version.size));
        let read = self.file.read_buf(&mut piece).await;
        let read = read.map_err(|error| self.failed(error))?;
        Ok((read > 0).then(|| piece.freeze()))
    }

    async fn is_unchanged(&mut self) -> Result<bool> {
        let stat = rustix::fs::fstat(&self.file).map_err(|error| self.failed(error.into()))?;
        Ok(version_of(&stat) == self.version)
    }
}

/// Memory for a piece: no more than the file needs, and a byte to see its end.
fn piece_size(size: u64) -> usize {
    usize::try_from(size).map_or(PIECE_BYTES, |size| (size + 1).min(PIECE_BYTES))
}
