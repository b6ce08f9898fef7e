//! The program, on a computer that has the driver as far as the program can tell.

use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::LibraryLoader::{GetModuleFileNameW, LoadLibraryW};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, REG_SZ, RegCreateKeyW, RegOverridePredefKey, RegSetKeyValueW,
};

/// The variable that names the folder in which the driver is installed.
pub(crate) const DRIVER: &str = "MOORAGE_TEST_DRIVER";
/// What the program sees as the computer's part of the registry.
const REGISTRY: &str = r"Software\Moorage-tests-of-mounts";
/// Longest path of the library, in UTF-16 units.
const LONGEST: usize = 1024;

/// Whether this process is to be the program.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(DRIVER).is_some()
}

/// Runs the command line of this process.
pub(crate) fn run() -> ExitCode {
    let folder = std::env::var_os(DRIVER).unwrap_or_default();
    tell_where_the_driver_is(Path::new(&folder));
    moorage_cli::run(std::env::args_os())
}

/// A folder as the driver's installer leaves it, in this one: with the library, which the tests find where programs find
/// libraries.
pub(crate) fn install_driver(below: &Path) -> PathBuf {
    let name = wide("winfsp-x64.dll".as_ref());
    let mut path = [0_u16; LONGEST];
    // SAFETY: the name ends with NUL, and the buffer has as many units as is said.
    let length = unsafe {
        let module = LoadLibraryW(name.as_ptr());
        assert!(
            !module.is_null(),
            "the library is not where programs look for libraries"
        );
        GetModuleFileNameW(module, path.as_mut_ptr(), LONGEST as u32)
    };
    let library = PathBuf::from(OsString::from_wide(path.get(..length as usize).expect("a path")));
    let folder = below.join("WinFsp");
    std::fs::create_dir_all(folder.join("bin")).expect("made");
    std::fs::copy(library, folder.join(r"bin\winfsp-x64.dll")).expect("copied");
    folder
}

/// Puts what the installer writes into a part of the registry that this user may write, and has this process see that.
fn tell_where_the_driver_is(folder: &Path) {
    let mut key: HKEY = null_mut();
    let (registry, driver) = (
        wide(REGISTRY.as_ref()),
        wide(r"SOFTWARE\WOW6432Node\WinFsp".as_ref()),
    );
    let (name, value) = (wide("InstallDir".as_ref()), wide(folder.as_os_str()));
    // SAFETY: all texts end with NUL and live until the calls return; the key is closed with the process.
    let said = unsafe {
        [
            RegCreateKeyW(HKEY_CURRENT_USER, registry.as_ptr(), &raw mut key),
            RegOverridePredefKey(HKEY_LOCAL_MACHINE, key),
            RegSetKeyValueW(
                HKEY_LOCAL_MACHINE,
                driver.as_ptr(),
                name.as_ptr(),
                REG_SZ,
                value.as_ptr().cast(),
                size_of_val(value.as_slice()) as u32,
            ),
        ]
    };
    assert_eq!(said, [ERROR_SUCCESS; 3], "the registry");
}

fn wide(text: &std::ffi::OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}
