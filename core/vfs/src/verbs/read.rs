//! read.

use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use moorage_model::{ErrorKind, Result};

use crate::handles::Opened;
use crate::journal::Operation;
use crate::{FileHandle, Vfs};

impl Vfs {
    /// Fills `buffer` from `offset` and returns the bytes read: fewer than asked for only at the end of the file. Sees
    /// everything written through this client.
    ///
    /// One copy into the buffer, from memory or the page cache. Ready on the first poll when slice list and blocks are
    /// at hand; then one map look-up, a few short locks and no allocation but object names. Changes by other clients
    /// are looked for when the attributes are older than the attribute cache allows: one engine read.
    ///
    /// # Errors
    /// `BadHandle`; `Stale` when another client deleted the file; `FileTooLarge` beyond 2^57; `Corrupt` or `NotFound`
    /// naming a damaged or missing object; `Unavailable`, `Timeout`. The buffer's content is undefined then.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(&self, handle: FileHandle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let opened = match self.handles.get(handle)? {
            Opened::File(opened) => opened,
            // Reading the log of operations must not make more of them.
            Opened::Internal(node) => return node.read(self, offset, buffer).await,
            Opened::Directory(_) => return Err(ErrorKind::IsDirectory.into()),
        };
        let arguments = || format!("{},{offset}", handle.0);
        self.watch(Operation::Read, None, arguments, async {
            self.read_ahead(&opened, offset, buffer.len());
            let len = opened.file.read(self, offset, buffer).await?;
            opened.bytes_read.fetch_add(len as u64, Ordering::Relaxed);
            Ok(len)
        })
        .await
    }

    /// As [`Vfs::read`], into a buffer of its own.
    ///
    /// # Errors
    /// As [`Vfs::read`].
    pub async fn read_bytes(&self, handle: FileHandle, offset: u64, size: usize) -> Result<Bytes> {
        let mut buffer = BytesMut::zeroed(size);
        let len = self.read(handle, offset, &mut buffer).await?;
        buffer.truncate(len);
        Ok(buffer.freeze())
    }
}
