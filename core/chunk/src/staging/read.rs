//! Reading staged blocks: for readers of the volume and for their upload.

use std::fs::File;
use std::io;

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};

use super::{Staged, Staging};
use crate::block::BlockId;
use crate::block_file::{BlockFile, Form};
use crate::disk_error::disk_error;

impl Staging {
    fn open_file(&self, staged: &Staged) -> io::Result<BlockFile> {
        BlockFile::open(File::open(self.folder.path(staged))?)
    }

    /// Whether a block is staged, here or by another mount when that was last looked at. Two locks.
    pub(crate) fn has(&self, block: &BlockId) -> bool {
        self.queue.lock().find(block).is_some() || self.neighbours.has(block)
    }

    /// Reads a part of a staged plain block on this thread; `Some(false)` when it is not staged, `None` when it has
    /// to be loaded whole or from another thread. One lock, an open, three `pread`s.
    pub(crate) fn read_now(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> Option<bool> {
        let Some(staged) = self.queue.lock().find(block) else {
            return Some(false);
        };
        if !self.offload.in_place() {
            return None;
        }
        self.offload
            .timed(|| self.read_part(&staged, offset, out))
            .then_some(true)
    }

    /// Reads a part of a staged plain block; whether that was possible. Blocks the thread.
    pub(crate) fn read(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> bool {
        let staged = self.queue.lock().find(block);
        staged.is_some_and(|staged| self.read_part(&staged, offset, out))
    }

    fn read_part(&self, staged: &Staged, offset: usize, out: &mut [u8]) -> bool {
        // A failure shows when the whole block is loaded.
        staged.form == Form::Block
            && self
                .open_file(staged)
                .and_then(|file| file.read(offset, out))
                .is_ok()
    }

    /// The payload of a staged block. Blocks the thread.
    ///
    /// # Errors
    /// The disk's, or `Corrupt`. `Ok(None)` when the block is not staged, or not any more.
    pub(crate) fn load(&self, block: &BlockId) -> Result<Option<(Form, Bytes)>> {
        let Some(staged) = self.queue.lock().find(block) else {
            return Ok(self.neighbours.load(block));
        };
        match self.payload(&staged) {
            Ok(payload) => Ok(Some((staged.form, payload))),
            // Uploaded in between.
            Err(_) if self.queue.lock().find(block) != Some(staged) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The payload of a block that is to be uploaded. Blocks the thread.
    ///
    /// # Errors
    /// The disk's, or `Corrupt`.
    pub(crate) fn payload(&self, staged: &Staged) -> Result<Bytes> {
        self.open_file(staged)
            .and_then(|file| file.read_all())
            .map_err(|error| {
                let path = self.folder.path(staged);
                if error.kind() == io::ErrorKind::InvalidData {
                    let what = format!("staged block {} is damaged", path.display());
                    return Error::new(ErrorKind::Corrupt, what).with_source(error);
                }
                disk_error("can not read staged block", path.display(), error)
            })
    }
}
