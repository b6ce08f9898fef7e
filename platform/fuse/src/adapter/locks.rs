//! Requests for locks.

use std::sync::Arc;

use fuser::{FileHandle, LockOwner, ReplyEmpty, ReplyLock, Request};
use moorage_vfs::{LockRange, LockWait, Vfs};

use super::{handle, owner};
use crate::answers::{self, or_refuse};
use crate::asker::Asker;
use crate::errno::errno;
use crate::kernel;
use crate::locks::{LockRequest, tested};

/// `range` is the first and the last byte.
pub(super) fn asked(file: FileHandle, by: LockOwner, range: (u64, u64), kind: i32, pid: u32) -> LockRequest {
    LockRequest {
        handle: handle(file),
        owner: owner(by),
        range: LockRange {
            start: range.0,
            end: range.1,
        },
        kind,
        pid,
    }
}

/// Whether the lock is one of flock(2), and how long it is waited for.
pub(super) fn how(request: &Request, sleep: bool) -> (bool, LockWait) {
    let wait = if sleep {
        Asker::of(request).until_signal()
    } else {
        LockWait::No
    };
    (kernel::is_flock(request), wait)
}

pub(super) async fn getlk(vfs: Arc<Vfs>, asked: LockRequest, reply: ReplyLock) {
    let record = or_refuse!("getlk", asked.record(), reply);
    let lock = or_refuse!("getlk", vfs.getlk(asked.handle, record).await, reply);
    let (start, end, kind, pid) = tested(lock, asked);
    reply.locked(start, end, kind, pid);
}

pub(super) async fn setlk(vfs: Arc<Vfs>, asked: LockRequest, flock: bool, wait: LockWait, reply: ReplyEmpty) {
    answers::empty("setlk", asked.set(&vfs, flock, wait).await, reply);
}
