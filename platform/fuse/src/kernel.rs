//! What fuser's callbacks leave out of a lock request.

use fuser::Request;

/// Bytes of the header in front of each request (`struct fuse_in_header`, linux/fuse.h).
const HEADER_BYTES: usize = 40;
/// Offset of the length inside the header.
const LENGTH_AT: usize = 0;
/// Offset of the operation inside the header.
const OPERATION_AT: usize = 4;
/// Offset of `lk_flags` behind the header (`struct fuse_lk_in`).
const LOCK_FLAGS_AT: usize = HEADER_BYTES + 40;
/// Bytes of a whole lock request.
const LOCK_REQUEST_BYTES: u32 = 88;
/// FUSE_SETLK and FUSE_SETLKW.
const SET_LOCK: [u32; 2] = [32, 33];
/// FUSE_LK_FLOCK: the lock is one of flock(2), not of fcntl(2).
const FLOCK: u32 = 1;

const _: () = assert!(size_of::<Request>() == HEADER_BYTES);

/// Whether a lock request comes from flock(2). Must be called inside the callback that got the request.
///
/// fuser 0.18 does not pass this on, and without it a lock of flock would collide with one of fcntl. Its [`Request`]
/// is the header itself, in place at the start of the buffer that holds the whole request; so the flags stand at a
/// fixed distance behind it. The version is pinned, and a test on a real mount holds both kinds of lock at once.
pub(crate) fn is_flock(request: &Request) -> bool {
    let start = std::ptr::from_ref(request).cast::<u8>();
    let read = |offset: usize| {
        // SAFETY: callers read inside the header, or behind it after the length of the request was checked; the
        // buffer is aligned for u64, is read from the kernel whole, and lives as long as the callback.
        unsafe { start.add(offset).cast::<u32>().read() }
    };
    SET_LOCK.contains(&read(OPERATION_AT))
        && read(LENGTH_AT) >= LOCK_REQUEST_BYTES
        && read(LOCK_FLAGS_AT) & FLOCK != 0
}
