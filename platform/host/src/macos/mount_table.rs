//! What is mounted where, as macOS lists it (getfsstat(2)).

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use nix::libc::{self, c_char, c_int, statfs};

use crate::HostError;
use crate::mount_entry::MountEntry;

/// Mounts beyond those that were counted a moment before, for which there is room.
const SPARE: usize = 8;

/// All mounts, later ones cover earlier ones. Asks no file system, so none that hangs is waited for.
///
/// # Errors
/// When the system refuses.
pub fn mounts() -> Result<Vec<MountEntry>, HostError> {
    let failed = || HostError::new("reading the mount table").with_source(io::Error::last_os_error());
    // SAFETY: without a buffer the call only counts.
    let counted = unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let counted = usize::try_from(counted).map_err(|_| failed())?;
    let mut table: Vec<statfs> = Vec::with_capacity(counted + SPARE);
    let bytes = c_int::try_from(table.capacity() * size_of::<statfs>()).map_err(|_| failed())?;
    // SAFETY: the buffer has room for as many bytes as is said.
    let filled = unsafe { libc::getfsstat(table.as_mut_ptr(), bytes, libc::MNT_NOWAIT) };
    let filled = usize::try_from(filled).map_err(|_| failed())?;
    // SAFETY: so many entries were written, which is no more than there is room for.
    unsafe { table.set_len(filled.min(table.capacity())) };
    Ok(table.iter().map(entry).collect())
}

fn entry(mount: &statfs) -> MountEntry {
    let flags = i64::from(mount.f_flags);
    MountEntry {
        point: PathBuf::from(OsStr::from_bytes(text(&mount.f_mntonname))),
        kind: String::from_utf8_lossy(text(&mount.f_fstypename)).into_owned(),
        source: String::from_utf8_lossy(text(&mount.f_mntfromname)).into_owned(),
        owner: Some(mount.f_owner),
        read_only: flags & i64::from(libc::MNT_RDONLY) != 0,
    }
}

/// The bytes in front of the first zero.
fn text(field: &[c_char]) -> &[u8] {
    // SAFETY: signed and unsigned bytes are laid out alike, and the slice is the same.
    let bytes = unsafe { std::slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes)
}
