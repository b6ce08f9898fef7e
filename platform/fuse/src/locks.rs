//! Lock requests.

use moorage_model::{ErrorKind, FileLockKind, LockOwner, RecordLock, RecordLockKind, Result};
use moorage_vfs::{FileHandle, LockRange, LockWait, RecordLockRequest, Vfs};

/// A lock request of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockRequest {
    pub(crate) handle: FileHandle,
    pub(crate) owner: LockOwner,
    pub(crate) range: LockRange,
    /// F_RDLCK, F_WRLCK or F_UNLCK.
    pub(crate) kind: i32,
    pub(crate) pid: u32,
}

impl LockRequest {
    /// # Errors
    /// `InvalidArgument` for an unknown kind.
    pub(crate) fn record(self) -> Result<RecordLockRequest> {
        let kind = match self.kind {
            libc::F_RDLCK => Some(RecordLockKind::Read),
            libc::F_WRLCK => Some(RecordLockKind::Write),
            libc::F_UNLCK => None,
            _ => return Err(ErrorKind::InvalidArgument.into()),
        };
        Ok(RecordLockRequest {
            owner: self.owner,
            pid: self.pid,
            kind,
            range: self.range,
        })
    }

    fn file_kind(self) -> Result<Option<FileLockKind>> {
        match self.kind {
            libc::F_RDLCK => Ok(Some(FileLockKind::Shared)),
            libc::F_WRLCK => Ok(Some(FileLockKind::Exclusive)),
            libc::F_UNLCK => Ok(None),
            _ => Err(ErrorKind::InvalidArgument.into()),
        }
    }

    pub(crate) async fn set(self, vfs: &Vfs, flock: bool, wait: LockWait) -> Result<()> {
        if flock {
            vfs.flock(self.handle, self.owner, self.file_kind()?, wait).await
        } else {
            vfs.setlk(self.handle, self.record()?, wait).await
        }
    }
}

/// Start, end, kind and process of the answer to a test; an absent lock is F_UNLCK.
pub(crate) fn tested(lock: Option<RecordLock>, asked: LockRequest) -> (u64, u64, i32, u32) {
    match lock {
        Some(lock) => {
            let kind = match lock.kind {
                RecordLockKind::Read => libc::F_RDLCK,
                RecordLockKind::Write => libc::F_WRLCK,
            };
            (lock.start, lock.end, kind, lock.pid)
        }
        None => (asked.range.start, asked.range.end, libc::F_UNLCK, 0),
    }
}
