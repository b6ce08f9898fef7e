//! Who may do what, as Windows describes it: everything belongs to the user who mounted the volume.

use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;

use moorage_host::HostError;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    EqualSid, GetSecurityDescriptorOwner, GetTokenInformation, OWNER_SECURITY_INFORMATION, PSID, TOKEN_QUERY,
    TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use crate::status::Status;

/// A description of rights, self-relative: it holds what it points to.
#[derive(Clone, Debug)]
pub(crate) struct SecurityDescriptor {
    /// Of words, as the system wants it aligned.
    words: Box<[u32]>,
    bytes: usize,
}

impl SecurityDescriptor {
    /// The calling user owns it and may do everything, and so may the system; nobody else may do anything. What kind of
    /// account it is (of this computer, of a domain, of the cloud) makes no difference.
    ///
    /// # Errors
    /// What the system answers.
    pub(crate) fn of_user() -> Result<SecurityDescriptor, HostError> {
        let failed = |error| HostError::new("the account of this user can not be read").with_source(error);
        let sid = own_sid().map_err(failed)?;
        let text = format!("O:{sid}G:{sid}D:P(A;;FA;;;{sid})(A;;FA;;;SY)");
        SecurityDescriptor::parse(&text).map_err(failed)
    }

    /// One in the system's language of descriptions (SDDL).
    pub(crate) fn parse(text: &str) -> io::Result<SecurityDescriptor> {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let (mut made, mut bytes) = (null_mut(), 0);
        // SAFETY: the text ends with NUL; both results are written to.
        let outcome = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                &raw mut bytes,
            )
        };
        if outcome == 0 {
            return Err(io::Error::last_os_error());
        }
        let bytes = bytes as usize;
        let mut words = vec![0_u32; bytes.div_ceil(size_of::<u32>())].into_boxed_slice();
        // SAFETY: as many bytes were made as is said, and there is room for them; what was made is given back once.
        unsafe {
            words
                .as_mut_ptr()
                .cast::<u8>()
                .copy_from_nonoverlapping(made.cast::<u8>(), bytes);
            LocalFree(made);
        }
        Ok(SecurityDescriptor { words, bytes })
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Copies it into a buffer of the caller, who may only have asked how long it is; one that is too short is left alone.
    /// The driver's library gives room for ten of them.
    pub(crate) fn copy_to(&self, buffer: Option<&mut [c_void]>) {
        if let Some(buffer) = buffer
            && buffer.len() >= self.bytes
        {
            // SAFETY: the buffer has room, as was looked at, and the words hold as many bytes.
            unsafe {
                buffer
                    .as_mut_ptr()
                    .cast::<u8>()
                    .copy_from_nonoverlapping(self.words.as_ptr().cast(), self.bytes);
            }
        }
    }

    fn pointer(&self) -> *mut c_void {
        self.words.as_ptr().cast_mut().cast()
    }

    /// Whether a change of rights would leave the owner: to somebody else nothing can be given here.
    ///
    /// # Errors
    /// `INVALID_OWNER`.
    pub(crate) fn check_owner(&self, information: u32, changed: *mut c_void) -> Result<(), Status> {
        if information & OWNER_SECURITY_INFORMATION == 0 {
            return Ok(());
        }
        let owner = |descriptor| -> Option<PSID> {
            let (mut owner, mut defaulted) = (null_mut(), 0);
            // SAFETY: both are whole descriptors, the caller's for as long as its request.
            let read = unsafe { GetSecurityDescriptorOwner(descriptor, &raw mut owner, &raw mut defaulted) };
            (read != 0 && !owner.is_null()).then_some(owner)
        };
        let (Some(ours), Some(theirs)) = (owner(self.pointer()), owner(changed)) else {
            return Err(Status::INVALID_OWNER);
        };
        // SAFETY: both were found in whole descriptors.
        match unsafe { EqualSid(ours, theirs) } {
            0 => Err(Status::INVALID_OWNER),
            _ => Ok(()),
        }
    }
}

/// The account that this process runs as, in the system's notation.
fn own_sid() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the handle of the own process is always open; the result is written to.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let sid = sid_of(token);
    // SAFETY: it was opened above and is used no more.
    unsafe { CloseHandle(token) };
    sid
}

fn sid_of(token: HANDLE) -> io::Result<String> {
    let mut needed = 0;
    // SAFETY: without a buffer only the length is written.
    unsafe { GetTokenInformation(token, TokenUser, null_mut(), 0, &raw mut needed) };
    // Of the type that needs most alignment in it, a pointer.
    let mut buffer = vec![0_usize; (needed as usize).div_ceil(size_of::<usize>())];
    // SAFETY: the buffer has at least as many bytes as is said.
    let read = unsafe {
        GetTokenInformation(
            token,
            TokenUser,
            buffer.as_mut_ptr().cast(),
            needed,
            &raw mut needed,
        )
    };
    if read == 0 || (needed as usize) < size_of::<TOKEN_USER>() {
        return Err(io::Error::last_os_error());
    }
    let mut text = null_mut();
    // SAFETY: the buffer holds the structure, which points into the buffer.
    let written = unsafe {
        let user = &*buffer.as_ptr().cast::<TOKEN_USER>();
        ConvertSidToStringSidW(user.User.Sid, &raw mut text)
    };
    if written == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the text ends with NUL, and is given back once.
    unsafe {
        let length = (0..).take_while(|at| *text.add(*at) != 0).count();
        let sid = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned_by(sid: &str) -> SecurityDescriptor {
        SecurityDescriptor::parse(&format!("O:{sid}G:{sid}D:P(A;;FA;;;{sid})(A;;FA;;;SY)"))
            .expect("well formed")
    }

    #[test]
    fn the_user_of_this_process_owns_what_he_mounts() {
        let own = SecurityDescriptor::of_user().expect("an account");
        let sid = own_sid().expect("an account");
        assert!(sid.starts_with("S-1-5-"), "{sid}");
        assert_eq!(
            own.check_owner(OWNER_SECURITY_INFORMATION, owned_by(&sid).pointer()),
            Ok(())
        );
    }

    #[test]
    fn accounts_of_the_cloud_are_accounts_like_others() {
        let cloud = owned_by("S-1-12-1-1111111111-2222222222-3333333333-4444444444");
        assert!(cloud.len() > 0);
        let other = owned_by("S-1-5-21-1-2-3-1001");
        assert_eq!(
            cloud.check_owner(OWNER_SECURITY_INFORMATION, other.pointer()),
            Err(Status::INVALID_OWNER)
        );
        assert_eq!(cloud.check_owner(0, other.pointer()), Ok(()), "the owner stays");
    }

    #[test]
    fn a_short_buffer_is_left_alone() {
        let own = SecurityDescriptor::of_user().expect("an account");
        let mut buffer = vec![0_u8; own.len() - 1];
        let pointer: *mut [c_void] =
            std::ptr::slice_from_raw_parts_mut(buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: bytes of a buffer of this test.
        own.copy_to(Some(unsafe { &mut *pointer }));
        assert!(buffer.iter().all(|byte| *byte == 0));
    }
}
