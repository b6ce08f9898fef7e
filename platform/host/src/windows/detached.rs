//! Processes that outlive whoever starts them.

use std::io;
use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW,
};

/// No window opens for it, and no key of somebody's console ends it.
const APART: u32 = CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW;

/// Starts a process that goes on when this one, its console or its job ends. A job that lets nobody leave keeps it, as
/// some of build machines and schedulers do.
///
/// # Errors
/// What the system refuses.
pub fn start_detached(command: &mut Command) -> io::Result<Child> {
    let refusal = |error: &io::Error| error.raw_os_error().map(i32::cast_unsigned);
    match command.creation_flags(APART | CREATE_BREAKAWAY_FROM_JOB).spawn() {
        Err(error) if refusal(&error) == Some(ERROR_ACCESS_DENIED) => command.creation_flags(APART).spawn(),
        outcome => outcome,
    }
}

/// Has no process that this one starts from now on inherit its standard handles unasked: whoever reads from it would
/// wait for the end of all of them.
pub fn keep_standard_handles() {
    for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: no pointers.
        let handle = unsafe { GetStdHandle(which) };
        if !handle.is_null() && handle != INVALID_HANDLE_VALUE {
            // SAFETY: the handle is this process's. That of a console can not be changed, and is not inherited.
            unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) };
        }
    }
}
