//! Reading a file of a volume.

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{ErrorKind, Ino, Result};
use moorage_vfs::OpenFlags;

use super::open_file::OpenFile;
use super::{VolumeSide, version_of};
use crate::side::PIECE_BYTES;
use crate::{RelativePath, Source, Version};

pub(super) struct VolumeSource {
    side: VolumeSide,
    path: RelativePath,
    ino: Ino,
    file: OpenFile,
    version: Version,
    at: u64,
}

impl VolumeSource {
    pub(super) async fn open(side: &VolumeSide, path: &RelativePath) -> Result<VolumeSource> {
        let (ino, attr) = side.node(path).await?;
        if attr.kind != moorage_model::NodeType::File {
            return Err(ErrorKind::InvalidArgument.into());
        }
        let reading = OpenFlags {
            read: true,
            ..OpenFlags::default()
        };
        let opened = side.vfs.open(&side.caller, ino, reading).await?;
        let file = OpenFile::new(&side.vfs, opened.handle);
        let version = version_of(ino, &side.vfs.getattr(ino).await?.attr);
        Ok(VolumeSource {
            side: side.clone(),
            path: path.clone(),
            ino,
            file,
            version,
            at: 0,
        })
    }
}

#[async_trait]
impl Source for VolumeSource {
    fn version(&self) -> Version {
        self.version
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let vfs = &self.side.vfs;
        let read = vfs.read_bytes(self.file.handle(), self.at, PIECE_BYTES).await;
        let piece = read.map_err(|error| self.side.named("reading", &self.path, error))?;
        self.at += piece.len() as u64;
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn is_unchanged(&mut self) -> Result<bool> {
        let found = self.side.vfs.getattr(self.ino).await;
        let found = found.map_err(|error| self.side.named("reading", &self.path, error))?;
        Ok(version_of(self.ino, &found.attr) == self.version)
    }
}
