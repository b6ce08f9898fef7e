//! Processes by id and the time that they started at.

use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::PathBuf;

use windows_sys::Win32::Foundation::{FILETIME, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    PROCESS_TERMINATE, QueryFullProcessImageNameW, TerminateProcess, WaitForSingleObject,
};

use crate::process_identity::{ProcessIdentity, RunningProcess};
use crate::windows::done;

/// What a process that was ended says of how it ended: as after Ctrl-C (ntstatus.h, `STATUS_CONTROL_C_EXIT`).
const ENDED: u32 = 0xC000_013A;
/// Longest path of a program, in UTF-16 units.
const LONGEST_PATH: usize = 1024;

/// The process that has this id now.
pub(crate) fn look(pid: u32) -> Option<RunningProcess> {
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
    let told = unsafe { GetProcessTimes(raw, &raw mut start, &raw mut exit, &raw mut kernel, &raw mut user) };
    let start = u64::from(start.dwHighDateTime) << 32 | u64::from(start.dwLowDateTime);
    (runs && told != 0).then_some(RunningProcess {
        identity: ProcessIdentity { pid, start },
        is_stopped: false,
    })
}

/// A process by name, as the system tells it of processes of this user.
pub fn process_of(pid: u32) -> Option<(u32, String)> {
    // SAFETY: no pointers; the handle is closed by its owner.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle was opened just now and is nobody else's.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut path = [0_u16; LONGEST_PATH];
    let mut length = LONGEST_PATH as u32;
    // SAFETY: the handle is open, and the buffer has as many units as is said.
    done(unsafe {
        QueryFullProcessImageNameW(
            handle.as_raw_handle(),
            PROCESS_NAME_WIN32,
            path.as_mut_ptr(),
            &raw mut length,
        )
    })
    .ok()?;
    let path = PathBuf::from(OsString::from_wide(path.get(..length as usize)?));
    Some((pid, path.file_stem()?.to_string_lossy().into_owned()))
}

/// The number that the process which started this one had.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    // SAFETY: no pointers; the handle is closed by its owner.
    let handle = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: the handle was made just now and is nobody else's.
    let list = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the list is open, and the entry says how large it is.
    let mut found = unsafe { Process32FirstW(list.as_raw_handle(), &raw mut entry) } != 0;
    while found && entry.th32ProcessID != pid {
        // SAFETY: as before.
        found = unsafe { Process32NextW(list.as_raw_handle(), &raw mut entry) } != 0;
    }
    found.then_some(entry.th32ParentProcessID)
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
    use super::{ProcessIdentity, ask_to_end, parent_of, process_of};

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
    fn a_process_has_a_name_and_one_that_started_it() {
        let own = std::process::id();
        let (pid, name) = process_of(own).expect("this process");
        assert_eq!(pid, own);
        assert!(!name.is_empty() && !name.contains(['\\', '.']), "{name}");
        let mut child = std::process::Command::new("cmd")
            .arg("/q")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        assert_eq!(parent_of(child.id()), Some(own));
        child.wait().expect("ended with its input");
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
