//! The file layer itself: forwards every call to SQLite's own one.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::Once;

use rusqlite::ffi::{
    SQLITE_FULL, SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs,
    sqlite3_vfs_find, sqlite3_vfs_register,
};

use super::{Change, has_shared_memory, is_full, record};

/// What SQLite allocates per open file; the real file lies behind it in the same allocation.
#[repr(C)]
struct RecordedFile {
    base: sqlite3_file,
    /// Owned; null for files without a name, which are not recorded.
    path: *mut PathBuf,
}

/// Makes this the file layer of every database that the process opens from now on.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the default file layer lives as long as the process. The copy keeps its functions, of which those
        // that are not replaced do not look at the layer they are called on (SQLite's unix and win32 layers).
        let registered = unsafe {
            let real = sqlite3_vfs_find(std::ptr::null());
            let mut layer = Box::new(std::ptr::read(real));
            layer.szOsFile += c_int::try_from(size_of::<RecordedFile>()).unwrap();
            layer.zName = c"recording".as_ptr();
            layer.pAppData = real.cast();
            layer.pNext = std::ptr::null_mut();
            layer.xOpen = Some(open);
            layer.xDelete = Some(delete);
            sqlite3_vfs_register(Box::leak(layer), 1)
        };
        assert_eq!(registered, SQLITE_OK);
    });
}

/// The layer that calls are forwarded to.
unsafe fn real_layer(layer: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `install` put it there.
    unsafe { (*layer).pAppData.cast() }
}

/// The real file behind a recorded one.
unsafe fn real_file(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocated `szOsFile` bytes, which `install` made long enough for both.
    unsafe { file.byte_add(size_of::<RecordedFile>()) }
}

unsafe fn path_of<'f>(file: *mut sqlite3_file) -> Option<&'f PathBuf> {
    // SAFETY: every file with our methods is a `RecordedFile`; its path is null or lives until `close`.
    unsafe { (*file.cast::<RecordedFile>()).path.as_ref() }
}

unsafe extern "C" fn open(
    layer: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's, passed on; the file's memory is as `real_file` says.
    unsafe {
        let recorded = file.cast::<RecordedFile>();
        (*recorded).base.pMethods = std::ptr::null();
        (*recorded).path = std::ptr::null_mut();
        let real = real_layer(layer);
        let Some(forward) = (*real).xOpen else {
            return SQLITE_IOERR;
        };
        let code = forward(real, name, real_file(file), flags, out_flags);
        if code == SQLITE_OK {
            (*recorded).base.pMethods = &raw const METHODS;
            if !name.is_null() {
                let path = PathBuf::from(CStr::from_ptr(name).to_string_lossy().into_owned());
                if !has_shared_memory(&path) {
                    (*recorded).base.pMethods = &raw const METHODS_WITHOUT_SHARED_MEMORY;
                }
                (*recorded).path = Box::into_raw(Box::new(path));
            }
        }
        code
    }
}

unsafe extern "C" fn delete(layer: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's, passed on.
    unsafe {
        let real = real_layer(layer);
        let Some(forward) = (*real).xDelete else {
            return SQLITE_IOERR;
        };
        let code = forward(real, name, sync_folder);
        if code == SQLITE_OK && !name.is_null() {
            record(
                &PathBuf::from(CStr::from_ptr(name).to_string_lossy().into_owned()),
                Change::Delete,
            );
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; the path came from `Box::into_raw`.
    unsafe {
        let code = forward_close(file);
        let path = (*file.cast::<RecordedFile>()).path;
        if !path.is_null() {
            drop(Box::from_raw(path));
        }
        code
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: `data` has `length` bytes.
    unsafe {
        if let Some(path) = path_of(file) {
            if is_full(path) {
                return SQLITE_FULL;
            }
            let bytes = std::slice::from_raw_parts(data.cast::<u8>(), usize::try_from(length).unwrap_or(0));
            let change = Change::Write {
                offset: usize::try_from(offset).unwrap_or(0),
                bytes: bytes.to_vec(),
            };
            record(path, change);
        }
        forward_write(file, data, length, offset)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: passed on.
    unsafe {
        if let Some(path) = path_of(file) {
            let length = usize::try_from(length).unwrap_or(0);
            record(path, Change::Truncate { length });
        }
        forward_truncate(file, length)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: passed on.
    unsafe {
        let code = forward_sync(file, flags);
        if let Some(path) = path_of(file).filter(|_| code == SQLITE_OK) {
            record(path, Change::Sync);
        }
        code
    }
}

/// Functions that pass a call on to the real file.
macro_rules! forward {
    ($($name:ident => $method:ident($($argument:ident: $type:ty),*);)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: the real file was opened with its own methods.
            unsafe {
                let real = real_file(file);
                match (*(*real).pMethods).$method {
                    Some(method) => method(real $(, $argument)*),
                    None => SQLITE_IOERR,
                }
            }
        })*
    };
}

forward! {
    forward_close => xClose();
    read => xRead(data: *mut c_void, length: c_int, offset: sqlite3_int64);
    forward_write => xWrite(data: *const c_void, length: c_int, offset: sqlite3_int64);
    forward_truncate => xTruncate(length: sqlite3_int64);
    forward_sync => xSync(flags: c_int);
    file_size => xFileSize(size: *mut sqlite3_int64);
    lock => xLock(level: c_int);
    unlock => xUnlock(level: c_int);
    check_reserved_lock => xCheckReservedLock(out: *mut c_int);
    file_control => xFileControl(operation: c_int, argument: *mut c_void);
    sector_size => xSectorSize();
    device_characteristics => xDeviceCharacteristics();
    shm_map => xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    shm_lock => xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap => xShmUnmap(delete_flag: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `forward!`.
    unsafe {
        let real = real_file(file);
        if let Some(method) = (*(*real).pMethods).xShmBarrier {
            method(real);
        }
    }
}

/// Version 1: SQLite then can not make a log.
static METHODS_WITHOUT_SHARED_MEMORY: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    ..METHODS
};

/// Version 2: SQLite then maps no part of a file, so that all writes come by.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
