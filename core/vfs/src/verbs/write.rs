//! write.

use moorage_model::{ErrorKind, Result};

use crate::{FileHandle, Vfs};

impl Vfs {
    /// Takes bytes over into buffers and returns how many, which is all of them. With `append` the offset is the end of
    /// the file. They are stored when a block is full, and on flush, fsync, close or after a few seconds.
    ///
    /// One copy; ready on the first poll while buffers are free. An error of storing earlier writes to the file is answered
    /// here once.
    ///
    /// # Errors
    /// `BadHandle`, `FileTooLarge`, `NoSpace`, `QuotaExceeded`, `Unavailable`, `Timeout` when no buffer becomes free.
    ///
    /// # Cancel safety
    /// A dropped future may have written a first part.
    pub async fn write(&self, handle: FileHandle, offset: u64, data: &[u8]) -> Result<usize> {
        let _ = (handle, offset, data);
        Err(ErrorKind::NotSupported.into())
    }
}
