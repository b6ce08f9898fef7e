//! The driver's library.

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;

use moorage_host::{HostError, MountError, MountProblem};
use windows_sys::Win32::System::LibraryLoader::{LOAD_WITH_ALTERED_SEARCH_PATH, LoadLibraryExW};

/// Loads the library for the life of the process: what is imported from it finds it by its name from then on.
///
/// # Errors
/// `DriverMissing` with the system's answer.
pub(crate) fn load(library: &Path) -> Result<(), MountError> {
    #[cfg(target_env = "gnu")]
    crate::delay_load::keep();
    let name: Vec<u16> = library.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the name ends with NUL; the flag has the library's own dependencies looked for beside it.
    let module = unsafe { LoadLibraryExW(name.as_ptr(), null_mut(), LOAD_WITH_ALTERED_SEARCH_PATH) };
    if !module.is_null() {
        return Ok(());
    }
    let error = HostError::new(format!("{} can not be loaded", library.display()))
        .with_source(io::Error::last_os_error())
        .with_advice("Install WinFsp again.");
    Err(MountError::new(MountProblem::DriverMissing, error))
}
