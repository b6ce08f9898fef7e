//! WinFsp, which makes file systems of programs appear: whether it is installed, and which version.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::Storage::FileSystem::{
    GetFileVersionInfoSizeW, GetFileVersionInfoW, VS_FIXEDFILEINFO, VerQueryValueW,
};
use windows_sys::Win32::System::Registry::{HKEY, HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};

use crate::windows::done;
use crate::{HostError, MountError, MountProblem};

/// Where its installer says where it is: the 32-bit view on most computers, the plain one on those with ARM.
const KEYS: [&str; 2] = [r"SOFTWARE\WOW6432Node\WinFsp", r"SOFTWARE\WinFsp"];
/// Longest path of the folder, in UTF-16 units (`MAX_PATH`).
const LONGEST: usize = 260;
/// The library that programs load, in the folder `bin`.
const LIBRARY: &str = if cfg!(target_arch = "aarch64") {
    "winfsp-a64.dll"
} else {
    "winfsp-x64.dll"
};
/// Where it is to be had.
const SOURCE: &str = "https://winfsp.dev/rel/";

/// A version of WinFsp, such as 2.1.25156: its major and minor number, and its build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverVersion {
    /// Major number.
    pub major: u16,
    /// Minor number.
    pub minor: u16,
    /// Build: year and day.
    pub build: u16,
}

impl DriverVersion {
    /// The oldest that this program can use: that of the interface it is compiled for.
    pub const OLDEST: DriverVersion = DriverVersion {
        major: 2,
        minor: 1,
        build: 0,
    };
    /// The oldest without a known way for local programs to gain rights (CVE-2026-3006: up to 2.1.25156).
    pub const SOUND_FROM: DriverVersion = DriverVersion {
        major: 2,
        minor: 2,
        build: 0,
    };

    /// Why somebody should install a newer one, if so.
    pub fn warning(self) -> Option<String> {
        (self < DriverVersion::SOUND_FROM).then(|| {
            format!(
                "WinFsp {self} lets programs of this computer gain the rights of an administrator (CVE-2026-3006); install \
                 {}.{} or newer from {SOURCE}",
                DriverVersion::SOUND_FROM.major,
                DriverVersion::SOUND_FROM.minor
            )
        })
    }
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

/// WinFsp as it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinFsp {
    /// Its library.
    pub library: PathBuf,
    /// Its version.
    pub version: DriverVersion,
}

impl WinFsp {
    /// The one of this computer. A few questions to the registry and one to the file.
    ///
    /// # Errors
    /// `DriverMissing` or `DriverTooOld`, with the version that is needed and where to get it.
    pub fn installed() -> Result<WinFsp, MountError> {
        WinFsp::found_in(HKEY_LOCAL_MACHINE, &KEYS)
    }

    fn found_in(root: HKEY, keys: &[&str]) -> Result<WinFsp, MountError> {
        for key in keys {
            match install_folder(root, key) {
                Ok(folder) => return WinFsp::in_folder(&folder),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let error =
                        HostError::new("where WinFsp is installed can not be read").with_source(error);
                    return Err(MountError::new(
                        MountProblem::DriverMissing,
                        error.with_advice(advice()),
                    ));
                }
            }
        }
        let error =
            HostError::new("WinFsp is not installed, which makes volumes appear").with_advice(advice());
        Err(MountError::new(MountProblem::DriverMissing, error))
    }

    fn in_folder(folder: &Path) -> Result<WinFsp, MountError> {
        WinFsp::at(&folder.join("bin").join(LIBRARY))
    }

    /// The one with this library.
    ///
    /// # Errors
    /// As [`WinFsp::installed`].
    pub fn at(library: &Path) -> Result<WinFsp, MountError> {
        let version = version_of(library).map_err(|error| {
            let error = HostError::new(format!("WinFsp is not complete: {}", library.display()))
                .with_source(error)
                .with_advice(advice());
            MountError::new(MountProblem::DriverMissing, error)
        })?;
        if version < DriverVersion::OLDEST {
            let error = HostError::new(format!("WinFsp {version} is too old")).with_advice(advice());
            return Err(MountError::new(MountProblem::DriverTooOld, error));
        }
        Ok(WinFsp {
            library: library.to_owned(),
            version,
        })
    }
}

/// Checks that volumes can be mounted.
///
/// # Errors
/// As [`WinFsp::installed`].
pub fn check_driver() -> Result<(), MountError> {
    WinFsp::installed().map(drop)
}

fn advice() -> String {
    let DriverVersion { major, minor, .. } = DriverVersion::OLDEST;
    format!(
        "Install WinFsp {major}.{minor} or newer from {SOURCE}; meanwhile `moorage sync` copies files into a volume and out of \
         it."
    )
}

/// The folder that a key of the installer names.
fn install_folder(root: HKEY, key: &str) -> io::Result<PathBuf> {
    let (key, name) = (with_nul(key), with_nul("InstallDir"));
    let mut value = [0_u16; LONGEST];
    let mut bytes = u32::try_from(size_of_val(&value)).unwrap_or_default();
    // SAFETY: both names end with NUL; the buffer has as many bytes as is said; all live until the call returns.
    let status = unsafe {
        RegGetValueW(
            root,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            value.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    match status {
        ERROR_SUCCESS => {
            let text: Vec<u16> = value.iter().copied().take_while(|unit| *unit != 0).collect();
            Ok(OsString::from_wide(&text).into())
        }
        ERROR_FILE_NOT_FOUND => Err(io::ErrorKind::NotFound.into()),
        status => Err(io::Error::from_raw_os_error(status.cast_signed())),
    }
}

/// The version that a library says it has.
fn version_of(library: &Path) -> io::Result<DriverVersion> {
    let name: Vec<u16> = library.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the name ends with NUL; no handle is asked for.
    let size = unsafe { GetFileVersionInfoSizeW(name.as_ptr(), null_mut()) };
    if size == 0 {
        return Err(io::Error::last_os_error());
    }
    // Of words, since numbers are read in it where they are.
    let mut block = vec![0_u32; (size as usize).div_ceil(size_of::<u32>())];
    // SAFETY: the name ends with NUL, and the block has at least as many bytes as is said.
    done(unsafe { GetFileVersionInfoW(name.as_ptr(), 0, size, block.as_mut_ptr().cast()) })?;
    let (mut found, mut length) = (null_mut(), 0);
    let root = with_nul("\\");
    // SAFETY: the block is whole; what is found lies in it.
    done(unsafe {
        VerQueryValueW(
            block.as_ptr().cast(),
            root.as_ptr(),
            &raw mut found,
            &raw mut length,
        )
    })?;
    if (length as usize) < size_of::<VS_FIXEDFILEINFO>() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the call said that as many bytes are there, in a block that is aligned for words and still lives.
    let Some(fixed) = (unsafe { found.cast_const().cast::<VS_FIXEDFILEINFO>().as_ref() }) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let half = |number: u32| u16::try_from(number & 0xffff).unwrap_or_default();
    Ok(DriverVersion {
        major: half(fixed.dwFileVersionMS >> 16),
        minor: half(fixed.dwFileVersionMS),
        build: half(fixed.dwFileVersionLS >> 16),
    })
}

fn with_nul(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, REG_SZ, RegDeleteTreeW, RegSetKeyValueW};

    use super::*;

    /// A key of this test alone, in the part of the registry that this user may write; gone when it is dropped.
    struct Key(String);

    impl Key {
        fn saying(test: &str, folder: &Path) -> Key {
            let key = Key(format!(r"Software\Moorage-{test}-{}", std::process::id()));
            let (name, value) = (with_nul(&key.0), with_nul("InstallDir"));
            let folder: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
            let bytes = u32::try_from(size_of_val(folder.as_slice())).expect("short");
            // SAFETY: all texts end with NUL and live until the call returns.
            let status = unsafe {
                RegSetKeyValueW(
                    HKEY_CURRENT_USER,
                    name.as_ptr(),
                    value.as_ptr(),
                    REG_SZ,
                    folder.as_ptr().cast(),
                    bytes,
                )
            };
            assert_eq!(status, ERROR_SUCCESS);
            key
        }
    }

    impl Drop for Key {
        fn drop(&mut self) {
            let name = with_nul(&self.0);
            // SAFETY: the name ends with NUL.
            unsafe { RegDeleteTreeW(HKEY_CURRENT_USER, name.as_ptr()) };
        }
    }

    #[test]
    fn without_the_key_of_the_installer_the_driver_is_missing_and_the_version_is_named() {
        let missing = WinFsp::found_in(HKEY_CURRENT_USER, &[r"Software\Moorage-none"]).expect_err("no key");
        assert_eq!(missing.problem(), MountProblem::DriverMissing);
        assert!(missing.to_string().contains("WinFsp 2.1 or newer"), "{missing}");
    }

    #[test]
    fn an_installation_without_its_library_is_missing_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::saying("incomplete", folder.path());
        let missing = WinFsp::found_in(HKEY_CURRENT_USER, &[&key.0]).expect_err("no library");
        assert_eq!(missing.problem(), MountProblem::DriverMissing);
        assert!(missing.to_string().contains("winfsp-"), "{missing}");
    }

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        let version = |major, minor, build| DriverVersion { major, minor, build };
        assert!(version(2, 0, 23075) < DriverVersion::OLDEST);
        assert!(version(2, 1, 25156) >= DriverVersion::OLDEST);
        assert!(
            version(2, 1, 25156)
                .warning()
                .is_some_and(|text| text.contains("2.1.25156"))
        );
        assert_eq!(version(2, 2, 26286).warning(), None);
    }

    #[test]
    fn a_library_says_its_version() {
        let system = std::env::var_os("SystemRoot").expect("set by Windows");
        let version = version_of(&PathBuf::from(system).join(r"system32\kernel32.dll")).expect("a version");
        assert!(version.major > 0, "{version}");
        version_of(Path::new(r"C:\none\such.dll")).expect_err("no file");
    }
}
