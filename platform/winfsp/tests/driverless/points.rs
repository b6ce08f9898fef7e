//! Stands for the functions of the library that make mount points: none is made, and none is needed.

use winfsp_sys::{FSP_FILE_SYSTEM, NTSTATUS, PWSTR};

#[unsafe(no_mangle)]
extern "C" fn FspFileSystemSetMountPoint(_made: *mut FSP_FILE_SYSTEM, _point: PWSTR) -> NTSTATUS {
    0
}

#[unsafe(no_mangle)]
extern "C" fn FspFileSystemRemoveMountPoint(_made: *mut FSP_FILE_SYSTEM) {}
