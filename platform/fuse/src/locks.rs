//! Lock requests, and the end of their wait when the waiting process gets a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_host::{SignalState, signal_state};
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

/// How long a request that may sleep waits: until its thread has a signal to handle.
///
/// fuser answers the kernel that it takes no interrupts, after which a waiting process cannot even be killed before
/// its request is answered. So the wait itself looks whether a signal is pending.
pub(crate) fn until_signal(thread: u32) -> LockWait {
    let shared_before = AtomicBool::new(false);
    LockWait::UntilInterrupted(Arc::new(move || match signal_state(thread) {
        SignalState::Pending => true,
        // Another thread of the process may be about to take it; one that stays is ours.
        SignalState::Shared => shared_before.swap(true, Ordering::Relaxed),
        SignalState::Quiet | SignalState::Unknown => {
            shared_before.store(false, Ordering::Relaxed);
            false
        }
    }))
}
