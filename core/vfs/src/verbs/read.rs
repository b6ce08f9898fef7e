//! read.

use bytes::Bytes;
use moorage_model::{ErrorKind, Result};

use crate::{FileHandle, Vfs};

impl Vfs {
    /// Fills `buffer` from `offset` and returns the bytes read: fewer than asked for only at the end of the file. Sees
    /// everything written through this client.
    ///
    /// One copy into the buffer, from memory or the page cache. Ready on the first poll when slice list and blocks are at
    /// hand; then one map look-up, two short locks and no allocation but object names.
    ///
    /// # Errors
    /// `BadHandle`, also when another client deleted the file; `FileTooLarge` beyond 2^57; `Corrupt` or `NotFound` naming a
    /// damaged or missing object; `Unavailable`, `Timeout`. The buffer's content is undefined then.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(&self, handle: FileHandle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let _ = (handle, offset, buffer);
        Err(ErrorKind::NotSupported.into())
    }

    /// As [`Vfs::read`], into a buffer of its own.
    ///
    /// # Errors
    /// As [`Vfs::read`].
    pub async fn read_bytes(&self, handle: FileHandle, offset: u64, size: usize) -> Result<Bytes> {
        let _ = (handle, offset, size);
        Err(ErrorKind::NotSupported.into())
    }
}
