//! Stands for the functions of the driver's library that make mount points. Only folders: the driver makes them as this
//! does, and takes them away, too, when the process that serves them ends, which is left to the tests here.

use std::ffi::OsString;
use std::fs;
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use winfsp_sys::{FSP_FILE_SYSTEM, NTSTATUS, PWSTR};

/// The folder that this process made.
static MADE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Something is there (ntstatus.h, `STATUS_OBJECT_NAME_COLLISION`).
const COLLISION: NTSTATUS = 0xC000_0035_u32.cast_signed();

#[unsafe(no_mangle)]
unsafe extern "C" fn FspFileSystemSetMountPoint(_made: *mut FSP_FILE_SYSTEM, point: PWSTR) -> NTSTATUS {
    let mut length = 0;
    // SAFETY: the caller passes a text that ends with NUL.
    let text = unsafe {
        while *point.add(length) != 0 {
            length += 1;
        }
        std::slice::from_raw_parts(point, length)
    };
    let folder = PathBuf::from(OsString::from_wide(text));
    if fs::create_dir(&folder).is_err() {
        return COLLISION;
    }
    *MADE.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
    0
}

#[unsafe(no_mangle)]
extern "C" fn FspFileSystemRemoveMountPoint(_made: *mut FSP_FILE_SYSTEM) {
    if let Some(folder) = MADE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Taken away by a test before.
        let _ = fs::remove_dir(folder);
    }
}
