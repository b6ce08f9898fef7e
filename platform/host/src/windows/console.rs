//! The window of a console.

use windows_sys::Win32::System::Console::{FreeConsole, GetConsoleProcessList};

/// Closes the window that the system opened for this process alone, as it does for a program of the console that it starts
/// at login. A console that is shared with others, such as a shell, stays.
pub fn leave_own_console() {
    let mut processes = [0_u32; 2];
    // SAFETY: the list has as many places as is said. It needs no more: what counts is whether there is another process.
    let attached = unsafe { GetConsoleProcessList(processes.as_mut_ptr(), processes.len() as u32) };
    if attached == 1 {
        // SAFETY: no pointers. It fails where there is no console, which is as good.
        unsafe { FreeConsole() };
    }
}
