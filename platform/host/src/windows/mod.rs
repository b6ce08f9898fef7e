//! What this crate asks of Windows beyond the standard library.

mod console;
mod detached;
mod job;

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::{Component, Path, Prefix};

use windows_sys::Win32::Storage::FileSystem::{
    MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};
use windows_sys::Win32::System::SystemInformation::{ComputerNamePhysicalDnsHostname, GetComputerNameExW};

pub use console::leave_own_console;
pub use detached::{keep_standard_handles, start_detached};
pub use job::Job;

/// Longest name of a computer, in UTF-16 units, with room to spare: DNS allows 63 bytes per part.
const HOST_NAME_UNITS: usize = 256;

/// Renames a file over another one; on return the name survives a power cut. A folder can not be synced here, but a rename
/// that is written through waits for the log of NTFS.
pub(crate) fn rename_written_through(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (verbatim(from)?, verbatim(to)?);
    // SAFETY: both names end with NUL and live until the call returns.
    done(unsafe {
        MoveFileExW(
            from.as_ptr(),
            to.as_ptr(),
            MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH,
        )
    })
}

/// The name of this computer.
pub(crate) fn host_name() -> io::Result<String> {
    let mut name = [0_u16; HOST_NAME_UNITS];
    let mut length = HOST_NAME_UNITS as u32;
    // SAFETY: the buffer has as many units as is said.
    done(unsafe {
        GetComputerNameExW(
            ComputerNamePhysicalDnsHostname,
            name.as_mut_ptr(),
            &raw mut length,
        )
    })?;
    let name = name.get(..length as usize).unwrap_or_default();
    Ok(String::from_utf16_lossy(name))
}

/// A path as the system takes it at any length: absolute, with the prefix that lifts the limit of 260 units, and NUL.
fn verbatim(path: &Path) -> io::Result<Vec<u16>> {
    let path = std::path::absolute(path)?;
    let prefix = match path.components().next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::Disk(_) => r"\\?\",
            Prefix::UNC(..) => r"\\?\UNC",
            _ => "",
        },
        _ => "",
    };
    let written: Vec<u16> = path.as_os_str().encode_wide().collect();
    // Of the two backslashes before a server one is kept.
    let kept = written
        .get(usize::from(prefix.ends_with('C'))..)
        .unwrap_or_default();
    if kept.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(prefix
        .encode_utf16()
        .chain(kept.iter().copied())
        .chain([0])
        .collect())
}

/// The system's answer where it returns 0 for a failure.
pub(crate) fn done(outcome: i32) -> io::Result<()> {
    if outcome == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> String {
        let mut units = verbatim(Path::new(path)).expect("a path");
        assert_eq!(units.pop(), Some(0));
        String::from_utf16(&units).expect("text")
    }

    #[test]
    fn paths_of_drives_and_servers_are_lifted_over_the_length_limit() {
        assert_eq!(shown(r"C:\a/b\..\c"), r"\\?\C:\a\c");
        assert_eq!(shown(r"\\server\share\a"), r"\\?\UNC\server\share\a");
        assert_eq!(shown(r"\\?\C:\a"), r"\\?\C:\a");
        verbatim(Path::new("C:\\a\0b")).expect_err("it would end early");
    }

    #[test]
    fn a_long_name_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
        std::fs::create_dir_all(&deep).expect("made");
        let (from, to) = (deep.join("from"), deep.join("to"));
        std::fs::write(&from, b"new").expect("written");
        std::fs::write(&to, b"old").expect("written");
        rename_written_through(&from, &to).expect("renamed");
        assert_eq!(std::fs::read(&to).expect("read"), b"new");
        assert!(!from.exists());
    }
}
