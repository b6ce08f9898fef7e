//! Users by their security identifiers, and what a pipe admits.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::null_mut;

use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
};

/// Longest answer about a token's user: the structure and an identifier with all fifteen parts (winnt.h,
/// `SECURITY_MAX_SID_SIZE`), in words that align it.
const USER_WORDS: usize = 16;

/// A user by security identifier, such as `S-1-5-21-1-2-3-1001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(String);

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl User {
    /// Who this process runs as.
    pub(super) fn own() -> io::Result<User> {
        // SAFETY: the pseudo handle of this process needs no closing.
        User::of_process(unsafe { GetCurrentProcess() })
    }

    #[cfg(test)]
    pub(super) fn named(sid: &str) -> User {
        User(sid.to_owned())
    }

    fn of_process(process: HANDLE) -> io::Result<User> {
        let mut token = null_mut();
        // SAFETY: the process handle is open, and `token` takes a handle.
        done(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
        // SAFETY: the handle was opened just now and is nobody else's.
        let token = unsafe { OwnedHandle::from_raw_handle(token) };
        let mut answer = [0_usize; USER_WORDS];
        let mut length = 0;
        // SAFETY: the answer has as many bytes as is said and is aligned for the structure.
        done(unsafe {
            GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                answer.as_mut_ptr().cast(),
                size_of_val(&answer) as u32,
                &raw mut length,
            )
        })?;
        let mut text = null_mut();
        // SAFETY: the system wrote the structure, whose identifier lies behind it in the same answer.
        done(unsafe {
            let user = answer.as_ptr().cast::<TOKEN_USER>();
            ConvertSidToStringSidW((*user).User.Sid, &raw mut text)
        })?;
        // SAFETY: the text ends with NUL and is freed once, after it was read.
        Ok(User(unsafe { taken(text) }))
    }

    fn of_process_number(number: u32) -> io::Result<User> {
        // SAFETY: no pointers; the handle is closed by its owner.
        let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, number) };
        if process.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was opened just now and is nobody else's.
        let process = unsafe { OwnedHandle::from_raw_handle(process) };
        User::of_process(process.as_raw_handle())
    }
}

/// Who the client of a connection runs as.
pub(super) fn client_of(stream: &NamedPipeServer) -> io::Result<User> {
    let mut process = 0;
    // SAFETY: the pipe is open, and the number is written to.
    done(unsafe { GetNamedPipeClientProcessId(stream.as_raw_handle(), &raw mut process) })?;
    User::of_process_number(process)
}

/// Who the server of a connection runs as.
pub(super) fn server_of(stream: &NamedPipeClient) -> io::Result<User> {
    let mut process = 0;
    // SAFETY: the pipe is open, and the number is written to.
    done(unsafe { GetNamedPipeServerProcessId(stream.as_raw_handle(), &raw mut process) })?;
    User::of_process_number(process)
}

/// A security descriptor that lets one user do everything and nobody else anything.
#[derive(Debug)]
pub(super) struct OwnRights(PSECURITY_DESCRIPTOR);

// SAFETY: the descriptor is only read once it is made.
unsafe impl Send for OwnRights {}
// SAFETY: as above.
unsafe impl Sync for OwnRights {}

impl OwnRights {
    pub(super) fn of(user: &User) -> io::Result<OwnRights> {
        let text = wide(&format!("D:P(A;;GA;;;{user})"));
        let mut descriptor = null_mut();
        // SAFETY: the text ends with NUL, and the descriptor is freed by its owner.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        })?;
        Ok(OwnRights(descriptor))
    }

    /// Makes an instance of a pipe with these rights.
    pub(super) fn make_pipe(&self, name: &str, options: &ServerOptions) -> io::Result<NamedPipeServer> {
        let mut attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        };
        // SAFETY: the attributes and their descriptor outlive the call.
        unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast::<c_void>()) }
    }
}

impl Drop for OwnRights {
    fn drop(&mut self) {
        // SAFETY: the system allocated it, and it is freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// The list of rights of a pipe as text.
#[cfg(test)]
pub(super) fn rights_of(stream: &NamedPipeServer) -> io::Result<String> {
    use windows_sys::Win32::Security::Authorization::{
        ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SE_KERNEL_OBJECT,
    };
    use windows_sys::Win32::Security::DACL_SECURITY_INFORMATION;
    let (mut descriptor, mut text) = (null_mut(), null_mut());
    // SAFETY: the pipe is open; what is not asked for may be null.
    let code = unsafe {
        GetSecurityInfo(
            stream.as_raw_handle(),
            SE_KERNEL_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let descriptor = OwnRights(descriptor);
    // SAFETY: the descriptor lives until the call returns.
    done(unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.0,
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &raw mut text,
            null_mut(),
        )
    })?;
    // SAFETY: the text ends with NUL and is freed once, after it was read.
    Ok(unsafe { taken(text) })
}

fn done(outcome: i32) -> io::Result<()> {
    if outcome == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A text of the system, which is freed.
///
/// # Safety
/// It was allocated by the system for the caller and ends with NUL.
unsafe fn taken(text: *mut u16) -> String {
    // SAFETY: as the caller promises.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let read = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        read
    }
}
