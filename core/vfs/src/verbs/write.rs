//! write.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moorage_model::{ErrorKind, Result};

use crate::handles::Opened;
use crate::journal::Operation;
use crate::{FileHandle, Vfs, WriteOrigin};

/// Blocks that one write may begin beside those it fills: at the end of one chunk and at the start of the next.
const BLOCKS_AT_ONCE: u64 = 2;

impl Vfs {
    /// Takes bytes over into buffers and returns how many: all of them, or what a limit of the volume or of a quota
    /// leaves room for. With `append` the offset is the end of the file. They are stored when a block is full, and on
    /// flush, fsync, close or after a few seconds.
    ///
    /// One copy; ready on the first poll while buffers are free and limits are far. News of data that was lost is given
    /// here once for each handle.
    ///
    /// # Errors
    /// `BadHandle`, `Stale`, `FileTooLarge`, `NoSpace`, `QuotaExceeded`, `Unavailable`, `Timeout` when no buffer becomes free.
    ///
    /// # Cancel safety
    /// A dropped future may have written a first part.
    pub async fn write(&self, handle: FileHandle, offset: u64, data: &[u8]) -> Result<usize> {
        self.write_from(handle, offset, data, WriteOrigin::default())
            .await
    }

    /// As [`Vfs::write`], for a kernel that tells where the bytes come from. One more transaction when set-id bits
    /// have to go.
    ///
    /// # Errors
    /// As [`Vfs::write`].
    ///
    /// # Cancel safety
    /// As [`Vfs::write`].
    pub async fn write_from(
        &self,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        origin: WriteOrigin,
    ) -> Result<usize> {
        let arguments = || format!("{},{},{offset}", handle.0, data.len());
        self.watch(Operation::Write, None, arguments, async {
            match self.handles.get(handle)? {
                Opened::File(opened) if opened.flags.write || opened.flags.append => {
                    opened.file.tell_at_write(&opened.told)?;
                    if origin.drops_set_id {
                        opened.file.drop_set_id(self).await?;
                    }
                    let file = &opened.file;
                    if origin.mapped {
                        // A kernel takes no part of a page: the commit keeps what fits.
                        return file.write(self, false, offset, data).await;
                    }
                    let append = opened.flags.append || origin.at_end;
                    let start = if append { file.content().length() } else { offset };
                    let data = file.with_room(self, start, data).await?;
                    file.write(self, append, offset, data).await
                }
                Opened::Internal(node) => node.write(self, data),
                Opened::File(_) | Opened::Directory(_) => Err(ErrorKind::BadHandle.into()),
            }
        })
        .await
    }

    /// As [`Vfs::write_from`], for bytes that are only lent: takes them over at once, or answers `None` when that could
    /// mean to wait. Then the same bytes can be given to [`Vfs::write_from`], also when a first part was taken already.
    ///
    /// # Errors
    /// As [`Vfs::write`].
    pub fn write_now(
        &self,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        origin: WriteOrigin,
    ) -> Option<Result<usize>> {
        let (used, limit) = self.chunks.buffers();
        let needed = data.len() as u64 + BLOCKS_AT_ONCE * u64::from(self.chunks.block_size());
        if used.saturating_add(needed) > limit {
            return None;
        }
        match self.handles.get(handle) {
            // An append must not be begun twice.
            Ok(Opened::File(opened)) if opened.flags.write && !opened.flags.append && !origin.at_end => {}
            _ => return None,
        }
        let write = pin!(self.write_from(handle, offset, data, origin));
        match write.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}
