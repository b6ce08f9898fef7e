//! Reading a file of a folder.

use std::fs::File;
use std::io;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use moorage_model::Result;
use tokio::io::AsyncReadExt as _;

use super::os::node_of;
use super::place::Root;
use crate::disk::failed;
use crate::side::PIECE_BYTES;
use crate::{Kind, Links, RelativePath, Source, Version};

/// An open file.
pub(super) struct FolderSource {
    file: tokio::fs::File,
    version: Version,
    shown: std::path::PathBuf,
}

impl FolderSource {
    /// Opens a regular file; anything else is refused, so that a pipe put there keeps nobody waiting.
    pub(super) fn open(root: &Root, path: &RelativePath, links: Links) -> io::Result<FolderSource> {
        let file: File = match links {
            Links::Follow => root.file_over_links(path)?,
            Links::Keep => {
                let (parent, name) = root.parent(path)?;
                parent.file(&name)?
            }
        };
        let node = node_of(&file)?;
        if node.kind != Kind::File {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(PIECE_BYTES);
        Ok(FolderSource {
            file,
            version: node.version,
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
        let node = node_of(&self.file).map_err(|error| self.failed(error))?;
        Ok(node.version == self.version)
    }
}

/// Memory for a piece: no more than the file needs, and a byte to see its end.
fn piece_size(size: u64) -> usize {
    usize::try_from(size).map_or(PIECE_BYTES, |size| (size + 1).min(PIECE_BYTES))
}
