//! Processes by id and the time that they started at.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::Foundation::{FILETIME, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    TerminateProcess, WaitForSingleObject,
};

use crate::windows::done;

/// What a process that was ended says of how it ended: as after Ctrl-C (ntstatus.h, `STATUS_CONTROL_C_EXIT`).
const ENDED: u32 = 0xC000_013A;

/// Identifies a process for as long as the machine runs: ids are reused, start times with them are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start in units of 100 ns since 1601.
    pub start: u64,
}

impl ProcessIdentity {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<ProcessIdentity> {
        // SAFETY: no pointers; the handle is closed by its owner.
        let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE, 0, pid) };
        if handle.is_null() {
            return None;
        }
        // SAFETY: the handle was opened just now and is nobody else's.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        let raw = handle.as_raw_handle();
        // One that ended is still found while somebody holds a handle of it.
        // SAFETY: the handle is open.
        let runs = unsafe { WaitForSingleObject(raw, 0) } == WAIT_TIMEOUT;
        let [mut start, mut exit, mut kernel, mut user] = [FILETIME::default(); 4];
        // SAFETY: the handle is open and the four times are written to.
        let told =
            unsafe { GetProcessTimes(raw, &raw mut start, &raw mut exit, &raw mut kernel, &raw mut user) };
        let start = u64::from(start.dwHighDateTime) << 32 | u64::from(start.dwLowDateTime);
        (runs && told != 0).then_some(ProcessIdentity { pid, start })
    }

    /// The calling process.
    pub fn own() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::process::id())
    }

    /// The process that started the calling one: not told here, where nothing depends on it.
    pub fn of_parent() -> Option<ProcessIdentity> {
        None
    }

    /// Whether it still runs.
    pub fn is_running(self) -> bool {
        ProcessIdentity::of(self.pid) == Some(self)
    }

    /// Whether somebody stopped it: not told here.
    pub fn is_stopped(self) -> bool {
        false
    }
}

/// Ends a process of this program: one that has no window can not be asked.
///
/// # Errors
/// As of [`end_at_once`].
pub fn ask_to_end(process: u32) -> io::Result<()> {
    end_at_once(process)
}

/// Ends a process of this program at once.
///
/// # Errors
/// That there is none of this number, or that it belongs to somebody else.
pub fn end_at_once(process: u32) -> io::Result<()> {
    // SAFETY: no pointers; the handle is closed by its owner.
    let handle = unsafe { OpenProcess(PROCESS_TERMINATE, 0, process) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was opened just now and is nobody else's.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the handle is open until the call returns.
    done(unsafe { TerminateProcess(handle.as_raw_handle(), ENDED) })
}

#[cfg(test)]
mod tests {
    use super::{ProcessIdentity, ask_to_end};

    #[test]
    fn this_process_runs_and_one_that_started_at_another_time_does_not() {
        let own = ProcessIdentity::own().expect("own process");
        assert!(own.is_running());
        let other = ProcessIdentity {
            start: own.start + 1,
            ..own
        };
        assert!(!other.is_running());
    }

    #[test]
    fn a_process_that_ended_does_not_run_while_a_handle_of_it_is_open() {
        let mut child = std::process::Command::new("cmd")
            .args(["/c", "exit 0"])
            .spawn()
            .expect("started");
        child.wait().expect("ended");
        assert_eq!(ProcessIdentity::of(child.id()), None);
    }

    #[test]
    fn a_process_that_is_to_end_ends_without_success() {
        let mut child = std::process::Command::new("cmd")
            .arg("/q")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        ask_to_end(child.id()).expect("ended");
        assert!(!child.wait().expect("ended").success());
        ask_to_end(u32::MAX).expect_err("no such process");
    }
}
