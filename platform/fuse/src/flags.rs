//! Flag words of the kernel, as the vfs names them.

use fuser::FopenFlags;
use moorage_model::{ErrorKind, Result};
use moorage_vfs::{FallocateMode, OpenFlags, OpenReply, RenameFlags, SeekTarget, SetXattrMode};

pub(crate) fn open_flags(flags: i32) -> OpenFlags {
    let access = flags & libc::O_ACCMODE;
    OpenFlags {
        read: access != libc::O_WRONLY,
        write: access == libc::O_WRONLY || access == libc::O_RDWR,
        append: flags & libc::O_APPEND != 0,
        truncate: flags & libc::O_TRUNC != 0,
        exclusive: flags & libc::O_EXCL != 0,
        direct: flags & libc::O_DIRECT != 0,
    }
}

pub(crate) fn file_reply_flags(reply: OpenReply) -> FopenFlags {
    let mut flags = FopenFlags::empty();
    flags.set(FopenFlags::FOPEN_KEEP_CACHE, reply.keep_cache);
    flags.set(
        FopenFlags::FOPEN_DIRECT_IO | FopenFlags::FOPEN_PARALLEL_DIRECT_WRITES,
        reply.direct_io,
    );
    flags
}

/// A listing is remembered by the kernel; `keep_cache` says that what it remembers still holds.
pub(crate) fn directory_reply_flags(reply: OpenReply) -> FopenFlags {
    let mut flags = FopenFlags::FOPEN_CACHE_DIR;
    flags.set(FopenFlags::FOPEN_KEEP_CACHE, reply.keep_cache);
    flags
}

/// # Errors
/// `NotSupported` for whiteout, `InvalidArgument` for unknown flags (spec 70-semantics section 6).
pub(crate) fn rename_flags(flags: fuser::RenameFlags) -> Result<RenameFlags> {
    if flags.contains(fuser::RenameFlags::RENAME_WHITEOUT) {
        return Err(ErrorKind::NotSupported.into());
    }
    let known = fuser::RenameFlags::RENAME_NOREPLACE | fuser::RenameFlags::RENAME_EXCHANGE;
    if !known.contains(flags) {
        return Err(ErrorKind::InvalidArgument.into());
    }
    Ok(RenameFlags {
        no_replace: flags.contains(fuser::RenameFlags::RENAME_NOREPLACE),
        exchange: flags.contains(fuser::RenameFlags::RENAME_EXCHANGE),
    })
}

/// # Errors
/// `NotSupported` for modes that move data.
pub(crate) fn fallocate_mode(mode: i32) -> Result<FallocateMode> {
    let known = libc::FALLOC_FL_KEEP_SIZE | libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_ZERO_RANGE;
    if mode & !known != 0 {
        return Err(ErrorKind::NotSupported.into());
    }
    Ok(FallocateMode {
        keep_size: mode & libc::FALLOC_FL_KEEP_SIZE != 0,
        punch_hole: mode & libc::FALLOC_FL_PUNCH_HOLE != 0,
        zero_range: mode & libc::FALLOC_FL_ZERO_RANGE != 0,
    })
}

/// # Errors
/// `InvalidArgument` for what the kernel answers itself.
pub(crate) fn seek_target(whence: i32) -> Result<SeekTarget> {
    match whence {
        libc::SEEK_DATA => Ok(SeekTarget::Data),
        libc::SEEK_HOLE => Ok(SeekTarget::Hole),
        _ => Err(ErrorKind::InvalidArgument.into()),
    }
}

/// # Errors
/// `InvalidArgument` for unknown bits (spec 70-semantics section 9).
pub(crate) fn xattr_mode(flags: i32) -> Result<SetXattrMode> {
    match flags {
        0 => Ok(SetXattrMode::Any),
        libc::XATTR_CREATE => Ok(SetXattrMode::Create),
        libc::XATTR_REPLACE => Ok(SetXattrMode::Replace),
        _ => Err(ErrorKind::InvalidArgument.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_only_does_not_read() {
        let flags = open_flags(libc::O_WRONLY | libc::O_APPEND);
        assert!(!flags.read && flags.write && flags.append && !flags.truncate);
        let flags = open_flags(libc::O_RDWR | libc::O_TRUNC);
        assert!(flags.read && flags.write && flags.truncate);
    }

    #[test]
    fn collapsing_a_range_is_not_supported() {
        let kind = fallocate_mode(libc::FALLOC_FL_COLLAPSE_RANGE).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::NotSupported));
    }

    #[test]
    fn creating_and_replacing_at_once_is_invalid() {
        let kind = xattr_mode(libc::XATTR_CREATE | libc::XATTR_REPLACE).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::InvalidArgument));
    }
}
