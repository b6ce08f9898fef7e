//! What starts by itself when this user logs in: a value of the key `Run`.

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY_CURRENT_USER, REG_SZ, RRF_RT_REG_BINARY, RRF_RT_REG_SZ, RegDeleteKeyValueW, RegGetValueW,
    RegSetKeyValueW,
};

use crate::HostError;

/// Programs that start at login.
const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
/// What the person said of them in the settings of the system or in the Task Manager.
const APPROVED: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";
/// Name of the value in both; the list of the Task Manager shows it.
const NAME: &str = "Moorage";
/// Longest command line of a value there, in characters (`Run and RunOnce Registry Keys`).
const LONGEST: usize = 260;
/// Longest value of what the person said; the system writes twelve bytes.
const LONGEST_VALUE: usize = 64;
/// In the first byte of what the person said: it is switched off.
const OFF: u8 = 1;

/// The entry of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginItem {
    name: String,
}

impl LoginItem {
    /// The entry of the calling user; it need not exist.
    ///
    /// # Errors
    /// None.
    pub fn of_user() -> Result<LoginItem, HostError> {
        Ok(LoginItem::named(NAME))
    }

    fn named(name: &str) -> LoginItem {
        LoginItem {
            name: name.to_owned(),
        }
    }

    /// Whether it is there and takes part: the system's settings switch one off. Blocks the thread.
    ///
    /// # Errors
    /// When that can not be read.
    pub fn is_enabled(&self) -> Result<bool, HostError> {
        let failed = |error| self.failed("reading", error);
        if !self.is_there().map_err(failed)? {
            return Ok(false);
        }
        let said = first_byte(APPROVED, &self.name).map_err(failed)?;
        Ok(said.is_none_or(|said| said & OFF == 0))
    }

    /// Has a program started at every login from now on, with arguments that hold no blanks. Blocks the thread.
    ///
    /// # Errors
    /// When the command line is too long, or the system refuses; then all is as before.
    pub fn enable(&self, program: &Path, arguments: &[&str]) -> Result<(), HostError> {
        let mut line = vec![u16::from(b'"')];
        line.extend(program.as_os_str().encode_wide());
        line.push(u16::from(b'"'));
        for argument in arguments {
            line.push(u16::from(b' '));
            line.extend(argument.encode_utf16());
        }
        if line.len() > LONGEST {
            return Err(HostError::new(format!(
                "the path of the program {} is too long to be started at login",
                program.display()
            ))
            .with_advice("Install the program in a folder with a shorter path."));
        }
        line.push(0);
        self.remove(APPROVED)
            .and_then(|()| write(RUN, &self.name, &line))
            .map_err(|error| self.failed("writing", error))
    }

    /// Has nothing started any more. Blocks the thread.
    ///
    /// # Errors
    /// When the entry can not be removed.
    pub fn disable(&self) -> Result<(), HostError> {
        self.remove(RUN)
            .and_then(|()| self.remove(APPROVED))
            .map_err(|error| self.failed("removing", error))
    }

    /// Whether it is in the list of what starts.
    fn is_there(&self) -> io::Result<bool> {
        let (key, name) = (wide(RUN), wide(&self.name));
        // SAFETY: the texts end with NUL; what is not asked for may be null.
        let code = unsafe {
            RegGetValueW(
                HKEY_CURRENT_USER,
                key.as_ptr(),
                name.as_ptr(),
                RRF_RT_REG_SZ,
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        found(code)
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        let (key, name) = (wide(key), wide(&self.name));
        // SAFETY: the texts end with NUL and live until the call returns.
        found(unsafe { RegDeleteKeyValueW(HKEY_CURRENT_USER, key.as_ptr(), name.as_ptr()) }).map(drop)
    }

    fn failed(&self, doing: &str, error: io::Error) -> HostError {
        HostError::new(format!("{doing} {} in HKEY_CURRENT_USER\\{RUN}", self.name))
            .with_advice("Check that nobody forbids this user to change what starts at login.")
            .with_source(error)
    }
}

/// The first byte of a binary value; none when there is no such value.
fn first_byte(key: &str, name: &str) -> io::Result<Option<u8>> {
    let (key, name) = (wide(key), wide(name));
    let mut value = [0_u8; LONGEST_VALUE];
    let mut length = value.len() as u32;
    // SAFETY: the texts end with NUL, and the buffer has as many bytes as is said.
    let code = unsafe {
        RegGetValueW(
            HKEY_CURRENT_USER,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_BINARY,
            null_mut(),
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let first = value.first().copied().filter(|_| length > 0);
    Ok(found(code)?.then_some(first).flatten())
}

/// Writes a text; the key is made where it is missing.
fn write(key: &str, name: &str, text: &[u16]) -> io::Result<()> {
    let (key, name) = (wide(key), wide(name));
    // SAFETY: the names end with NUL, and the text has as many bytes as is said.
    let code = unsafe {
        RegSetKeyValueW(
            HKEY_CURRENT_USER,
            key.as_ptr(),
            name.as_ptr(),
            REG_SZ,
            text.as_ptr().cast(),
            size_of_val(text) as u32,
        )
    };
    match found(code)? {
        true => Ok(()),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Whether a call found what it was about.
fn found(code: u32) -> io::Result<bool> {
    match code {
        ERROR_SUCCESS => Ok(true),
        ERROR_FILE_NOT_FOUND => Ok(false),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of this process alone, since the key is the user's. It is taken away in any case.
    struct Own(LoginItem);

    impl Own {
        fn new(test: &str) -> Own {
            Own(LoginItem::named(&format!(
                "Moorage test {test} {}",
                std::process::id()
            )))
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            self.0.disable().expect("removed");
        }
    }

    fn switch(item: &LoginItem, said: u8) {
        let (key, name) = (wide(APPROVED), wide(&item.name));
        let value = [said, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: the names end with NUL, and the value has as many bytes as is said.
        let code = unsafe {
            RegSetKeyValueW(
                HKEY_CURRENT_USER,
                key.as_ptr(),
                name.as_ptr(),
                windows_sys::Win32::System::Registry::REG_BINARY,
                value.as_ptr().cast(),
                value.len() as u32,
            )
        };
        assert_eq!(code, ERROR_SUCCESS);
    }

    #[test]
    fn it_is_enabled_once_it_was_and_until_it_is_not() {
        let own = Own::new("enabled");
        let item = &own.0;
        assert!(!item.is_enabled().expect("read"));
        item.disable().expect("nothing to remove");
        let program = Path::new(r"C:\Program Files\Moorage\moorage.exe");
        item.enable(program, &["agent", "run"]).expect("written");
        assert!(item.is_enabled().expect("read"));
        item.disable().expect("removed");
        assert!(!item.is_enabled().expect("read"));
    }

    #[test]
    fn one_that_a_person_switched_off_is_not_enabled_until_it_is_enabled_here() {
        let own = Own::new("off");
        let item = &own.0;
        let program = Path::new(r"C:\moorage.exe");
        item.enable(program, &[]).expect("written");
        switch(item, 3);
        assert!(!item.is_enabled().expect("read"));
        switch(item, 2);
        assert!(item.is_enabled().expect("read"));
        switch(item, 3);
        item.enable(program, &[]).expect("written");
        assert!(item.is_enabled().expect("read"));
    }

    #[test]
    fn a_command_line_that_would_be_cut_is_refused() {
        let own = Own::new("long");
        let program = format!(r"C:\{}\moorage.exe", "x".repeat(LONGEST));
        let refused = own.0.enable(Path::new(&program), &[]).expect_err("too long");
        assert!(refused.message().contains("too long"), "{refused}");
        assert!(!own.0.is_enabled().expect("read"));
    }
}
