//! Where this process says what is no result.

use std::fs::File;
use std::io;

/// From now on what this process says on standard error goes into a file.
///
/// # Errors
/// What the system refuses.
#[cfg(unix)]
pub fn redirect_errors(to: File) -> io::Result<()> {
    nix::unistd::dup2_stderr(to).map_err(io::Error::from)
}

/// From now on what this process says on standard error goes into a file.
///
/// # Errors
/// What the system refuses.
#[cfg(windows)]
pub fn redirect_errors(to: File) -> io::Result<()> {
    use std::os::windows::io::IntoRawHandle as _;
    use windows_sys::Win32::System::Console::{STD_ERROR_HANDLE, SetStdHandle};
    // SAFETY: the handle is open, and is never closed from now on.
    crate::windows::done(unsafe { SetStdHandle(STD_ERROR_HANDLE, to.into_raw_handle()) })
}
