//! What the local store asks of an operating system beyond the standard library.

use std::fs::File;
use std::io;
use std::path::Path;

/// What a read that must not wait found.
#[derive(Debug)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux has such a read")
)]
pub(crate) enum NoWait {
    /// The buffer is full.
    Done,
    /// The page cache holds only these first bytes.
    Partial(usize),
    /// The system has no such read.
    Unknown,
}

/// Reads from the page cache only.
#[cfg(target_os = "linux")]
pub(crate) fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<NoWait> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let wanted = buffer.len();
    let mut slices = [io::IoSliceMut::new(buffer)];
    match preadv2(file, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(got) if got == wanted => Ok(NoWait::Done),
        Ok(got) => Ok(NoWait::Partial(got)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(NoWait::Partial(0)),
        Err(Errno::NOSYS | Errno::OPNOTSUPP) => Ok(NoWait::Unknown),
        Err(error) => Err(error.into()),
    }
}

/// Reads from the page cache only: not available here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_cached(_file: &File, _buffer: &mut [u8], _offset: u64) -> io::Result<NoWait> {
    Ok(NoWait::Unknown)
}

/// Fills the buffer from `offset`, waiting for the disk.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills the buffer from `offset`, waiting for the disk.
#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => {
                buffer = buffer.get_mut(got..).unwrap_or_default();
                offset += got as u64;
            }
        }
    }
    Ok(())
}

/// Whether an open file can still be found by a name.
#[cfg(unix)]
pub(crate) fn has_name(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|data| data.nlink() > 0)
}

/// Whether an open file can still be found by a name: an open one can not lose it here.
#[cfg(not(unix))]
pub(crate) fn has_name(_file: &File) -> bool {
    true
}

/// Starts reading a range into the page cache.
#[cfg(target_os = "linux")]
pub(crate) fn read_ahead(file: &File, offset: u64, len: u64) {
    if let Some(len) = std::num::NonZeroU64::new(len) {
        // Advice: what it can not do now, the read will.
        let _ = rustix::fs::fadvise(file, offset, Some(len), rustix::fs::Advice::WillNeed);
    }
}

/// Starts reading a range into the page cache: left to the system here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_ahead(_file: &File, _offset: u64, _len: u64) {}

/// Starts writing a file's pages to the disk without waiting, so that a later sync finds little left to do.
#[cfg(target_os = "linux")]
pub(crate) fn start_writeback(file: &File) {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open for the whole call and the call takes no pointers.
    unsafe {
        // Advice as well: the sync that follows reports errors.
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
}

/// Starts writing a file's pages to the disk: left to the system here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn start_writeback(_file: &File) {}

/// What tells a folder from another one that takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FolderIdentity(u64, u64);

/// The identity of a folder, by its device and inode.
#[cfg(unix)]
pub(crate) fn identity(folder: &Path) -> io::Result<FolderIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(folder)?;
    Ok(FolderIdentity(data.dev(), data.ino()))
}

/// The identity of a folder: here only whether it is there, since a drive letter comes and goes with its disk.
#[cfg(not(unix))]
pub(crate) fn identity(folder: &Path) -> io::Result<FolderIdentity> {
    std::fs::metadata(folder).map(|_| FolderIdentity(0, 0))
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        // A folder that may be entered but not read can not be synced by name; the file systems in use write a
        // new name with the journal commit of its file.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in a folder durable: that of a new file is with the sync of the file, which forces the log of NTFS up
/// to there, and that of a renamed one is with [`rename_durably`].
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Gives a file that is synced another name. The new name survives a power cut once [`sync_folder`] returned.
#[cfg(unix)]
pub(crate) fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Gives a file that is synced another name, which survives a power cut on return: a folder can not be synced here, and a
/// rename that is written through waits for the log of NTFS (Windows, `MoveFileExW`, `MOVEFILE_WRITE_THROUGH`).
#[cfg(windows)]
pub(crate) fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    use windows_sys::Win32::Storage::FileSystem::{
        MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
    };
    let (from, to) = (verbatim(from)?, verbatim(to)?);
    // SAFETY: both names end with NUL and live until the call returns.
    let moved = unsafe {
        MoveFileExW(
            from.as_ptr(),
            to.as_ptr(),
            MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH,
        )
    };
    if moved == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A name as the system takes it, at any length.
#[cfg(windows)]
fn verbatim(path: &Path) -> io::Result<Vec<u16>> {
    use std::os::windows::ffi::OsStrExt as _;
    use std::path::{Component, Prefix};
    let path = std::path::absolute(path)?;
    let mut components = path.components();
    let start = match components.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::Disk(_) => "\\\\?\\",
            // \\server\share
            Prefix::UNC(..) => "\\\\?\\UNC",
            _ => "",
        },
        _ => "",
    };
    let written: Vec<u16> = path.as_os_str().encode_wide().collect();
    // Of the two backslashes before a server one is kept.
    let rest = usize::from(start.ends_with('C'));
    let rest = written.get(rest..).unwrap_or_default();
    if rest.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(start
        .encode_utf16()
        .chain(rest.iter().copied())
        .chain([0])
        .collect())
}

/// Whether a sync of this new or renamed file makes its name durable too, so that its folder needs no sync of its own.
///
/// True of ext4, XFS and Btrfs, which log the name before or with the file that is synced (Linux,
/// Documentation/filesystems/ext4/journal.rst; CrashMonkey, OSDI 2018, section 2). Two cheap calls.
#[cfg(target_os = "linux")]
pub(crate) fn sync_keeps_name(file: &File) -> bool {
    /// Of ext2, ext3 and ext4 alike (statfs(2)).
    const EXT_MAGIC: u32 = 0xEF53;
    const XFS_MAGIC: u32 = 0x5846_5342;
    const BTRFS_MAGIC: u32 = 0x9123_683E;
    const LABEL_BYTES: usize = 256;
    /// `FS_IOC_GETFSLABEL` (ioctl_fslabel(2)), which ext4's driver answers and ext2's, without a journal, does not.
    const GET_LABEL: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<[u8; LABEL_BYTES]>(0x94, 49);
    let Ok(system) = rustix::fs::fstatfs(file) else {
        return false;
    };
    match u32::try_from(system.f_type) {
        Ok(XFS_MAGIC | BTRFS_MAGIC) => true,
        Ok(EXT_MAGIC) => {
            // SAFETY: the call fills at most the bytes of its output.
            let label = unsafe {
                rustix::ioctl::ioctl(file, rustix::ioctl::Getter::<GET_LABEL, [u8; LABEL_BYTES]>::new())
            };
            label.is_ok()
        }
        _ => false,
    }
}

/// Whether a sync of this file makes its name durable too: not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_keeps_name(_file: &File) -> bool {
    false
}

/// Syncs every file system these folders are on; `None` where only single files can be synced.
#[cfg(target_os = "linux")]
pub(crate) fn sync_file_systems<'a>(folders: impl Iterator<Item = &'a Path>) -> Option<io::Result<()>> {
    use std::os::unix::fs::MetadataExt;
    let mut done = Vec::new();
    let mut sync = |folder: &Path| -> io::Result<()> {
        let folder = match File::open(folder) {
            Ok(folder) => folder,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let device = folder.metadata()?.dev();
        if !done.contains(&device) {
            rustix::fs::syncfs(&folder)?;
            done.push(device);
        }
        Ok(())
    };
    for folder in folders {
        if let Err(error) = sync(folder) {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}

/// Syncs every file system these folders are on: not available here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_file_systems<'a>(_folders: impl Iterator<Item = &'a Path>) -> Option<io::Result<()>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_renamed_over_another_one_at_any_length_of_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
        std::fs::create_dir_all(&deep).unwrap();
        let (from, to) = (deep.join("from"), deep.join("to"));
        std::fs::write(&from, b"new").unwrap();
        std::fs::write(&to, b"old").unwrap();
        rename_durably(&from, &to).unwrap();
        sync_folder(&deep).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"new");
        assert!(!from.exists());
        let gone = rename_durably(&from, &to).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }
}
