//! fallocate, lseek and copy_file_range.

use moorage_model::{ErrorKind, Result};

use crate::{FallocateMode, FileHandle, SeekTarget, Vfs};

impl Vfs {
    /// Makes room for, zeroes or punches a range.
    ///
    /// # Errors
    /// `InvalidArgument`, `FileTooLarge`, `NotPermitted`, `BadHandle`, `NoSpace`, `QuotaExceeded`, `NotSupported`.
    pub async fn fallocate(
        &self,
        handle: FileHandle,
        mode: FallocateMode,
        offset: u64,
        length: u64,
    ) -> Result<()> {
        let _ = (handle, mode, offset, length);
        Err(ErrorKind::NotSupported.into())
    }

    /// The next data or hole at or behind `offset`; the end of the file counts as a hole.
    ///
    /// # Errors
    /// `NoSuchAddress` at or behind the end, or when no data follows.
    pub async fn lseek(&self, handle: FileHandle, offset: u64, target: SeekTarget) -> Result<u64> {
        let _ = (handle, offset, target);
        Err(ErrorKind::NotSupported.into())
    }

    /// Copies bytes between two open files by sharing their slices; returns the bytes copied, which may be fewer.
    ///
    /// # Errors
    /// `InvalidArgument` for overlapping ranges, `BadHandle`, `NotPermitted`, `FileTooLarge`, `NoSpace`, `QuotaExceeded`.
    pub async fn copy_file_range(
        &self,
        source: (FileHandle, u64),
        target: (FileHandle, u64),
        length: u64,
    ) -> Result<u64> {
        let _ = (source, target, length);
        Err(ErrorKind::NotSupported.into())
    }
}
