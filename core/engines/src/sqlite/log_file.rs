//! A file layer for SQLite that writes a commit to the write-ahead log with one system call.
//!
//! SQLite writes a frame's header and its page one by one: a small transaction makes 14 to 18 calls, which cost more
//! than everything else it does. This layer holds the frames back until the one that ends the commit, which says so
//! in its header (SQLite, "WAL file format", section 4), and then passes all of them on at once. A failure is the
//! answer to that last write, so the commit fails, as it does when SQLite writes page by page.
//!
//! Frames of a transaction that is not committed yet are never held across calls, since SQLite would not tell when
//! they are given up: connections on this layer have to set `PRAGMA cache_spill = OFF`. A write that does not fit
//! that is refused.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::OnceLock;

use moorage_model::{Error, ErrorKind, Result};
use rusqlite::ffi::{
    SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_WRITE, SQLITE_OK, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_int64,
    sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use super::reserve::Reserve;

/// Name of the layer.
const NAME: &CStr = c"moorage-log";
/// Length of the header of a frame in bytes, and place of the size that only the last frame of a commit has.
const FRAME_HEADER: usize = 24;
const COMMIT_SIZE: std::ops::Range<usize> = 4..8;
/// Most bytes of one write: SQLite's own layer for Unix looks at the low 17 bits of a length only.
const MOST_PER_WRITE: usize = 64 << 10;
/// Room in bytes that is kept for the next commit; larger ones give theirs back.
const KEPT_CAPACITY: usize = 256 << 10;

/// What SQLite allocates per open log; the file of the layer below lies behind it in the same allocation. Other files
/// are the layer's below altogether.
#[repr(C)]
struct LogFile {
    base: sqlite3_file,
    /// Owned.
    held: *mut Held,
}

/// Frames that were not passed on yet.
#[derive(Debug, Default)]
struct Held {
    /// Room that is kept on the disk.
    reserve: Reserve,
    offset: usize,
    bytes: Vec<u8>,
    /// What the next write has to be.
    next: Expected,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    Header,
    Page {
        commits: bool,
    },
}

/// What is to be done about a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// It is held.
    Hold,
    /// It is held and ends a commit: everything held is to be written.
    Flush,
    /// It is no frame: to be written as it is.
    Pass,
    /// It can not be explained: the transaction has to fail.
    Refuse,
}

impl Held {
    /// Takes a write, when it is part of a frame.
    fn take(&mut self, offset: usize, data: &[u8]) -> Decision {
        let empty = self.bytes.is_empty();
        if !empty && offset != self.offset + self.bytes.len() {
            return Decision::Refuse;
        }
        match self.next {
            Expected::Header if data.len() == FRAME_HEADER => {
                if empty {
                    self.offset = offset;
                }
                let commits = data.get(COMMIT_SIZE).is_some_and(|size| size != [0; 4]);
                self.next = Expected::Page { commits };
                self.bytes.extend_from_slice(data);
                Decision::Hold
            }
            Expected::Header if empty => Decision::Pass,
            Expected::Header => Decision::Refuse,
            Expected::Page { commits } => {
                self.next = Expected::Header;
                self.bytes.extend_from_slice(data);
                if commits { Decision::Flush } else { Decision::Hold }
            }
        }
    }

    /// Whether the disk has room for what is held, beside what is kept for others.
    fn fits(&mut self) -> bool {
        let end = self.offset.saturating_add(self.bytes.len());
        self.reserve.allows(u64::try_from(end).unwrap_or(u64::MAX))
    }

    /// Forgets everything held.
    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_CAPACITY);
        self.next = Expected::Header;
    }
}

/// The name of the layer, which is installed at the first call.
///
/// # Errors
/// `NotSupported` when SQLite does not take it.
pub(super) fn layer() -> Result<&'static CStr> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        // SAFETY: the default layer lives as long as the process, and so does the copy, which is leaked.
        unsafe {
            let below = sqlite3_vfs_find(std::ptr::null());
            let (Some(found), Ok(own)) = (below.as_ref(), c_int::try_from(size_of::<LogFile>())) else {
                return false;
            };
            let mut layer = Box::new(*found);
            layer.szOsFile = found.szOsFile.saturating_add(own);
            layer.zName = NAME.as_ptr();
            layer.pAppData = below.cast();
            layer.pNext = std::ptr::null_mut();
            layer.xOpen = Some(open);
            sqlite3_vfs_register(Box::leak(layer), 0) == SQLITE_OK
        }
    });
    if *installed {
        Ok(NAME)
    } else {
        Err(Error::new(
            ErrorKind::NotSupported,
            "SQLite does not take the layer that writes its log",
        ))
    }
}

unsafe extern "C" fn open(
    layer: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's, passed on; `file` has `szOsFile` bytes, enough for both layers.
    unsafe {
        let below: *mut sqlite3_vfs = (*layer).pAppData.cast();
        let Some(forward) = (*below).xOpen else {
            return SQLITE_IOERR;
        };
        if flags & SQLITE_OPEN_WAL == 0 {
            return forward(below, name, file, flags, out_flags);
        }
        (*file).pMethods = std::ptr::null();
        let code = forward(below, name, below_of(file), flags, out_flags);
        if code == SQLITE_OK {
            let held = Held {
                reserve: Reserve::of(path_of(name)),
                ..Held::default()
            };
            (*file.cast::<LogFile>()).held = Box::into_raw(Box::new(held));
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}

/// The path that SQLite names a file by.
///
/// # Safety
/// `name` is null or a text that ends with NUL.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(name) };
    text.to_str().ok().map(PathBuf::from)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the file is one of ours.
    unsafe {
        (*(*file.cast::<LogFile>()).held).reserve.forget();
        forward_truncate(file, length)
    }
}

/// The file of the layer below.
unsafe fn below_of(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `layer` asked SQLite for room for both.
    unsafe { file.byte_add(size_of::<LogFile>()) }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(size), Ok(place)) = (usize::try_from(length), usize::try_from(offset)) else {
        return SQLITE_IOERR_WRITE;
    };
    // SAFETY: `data` has `length` bytes; the file is one of ours, and SQLite uses a connection's files from one thread
    // at a time.
    unsafe {
        let held = &mut *(*file.cast::<LogFile>()).held;
        match held.take(place, std::slice::from_raw_parts(data.cast(), size)) {
            Decision::Hold => SQLITE_OK,
            Decision::Pass => forward_write(file, data, length, offset),
            Decision::Flush => {
                let code = if held.fits() {
                    flush(file, held)
                } else {
                    SQLITE_FULL
                };
                held.clear();
                code
            }
            Decision::Refuse => {
                held.clear();
                SQLITE_IOERR_WRITE
            }
        }
    }
}

/// Passes on everything held, from its beginning on, until a write fails.
unsafe fn flush(file: *mut sqlite3_file, held: &Held) -> c_int {
    let mut offset = held.offset;
    for part in held.bytes.chunks(MOST_PER_WRITE) {
        let (Ok(length), Ok(place)) = (c_int::try_from(part.len()), sqlite3_int64::try_from(offset)) else {
            return SQLITE_IOERR_WRITE;
        };
        // SAFETY: the part has `length` bytes.
        let code = unsafe { forward_write(file, part.as_ptr().cast(), length, place) };
        if code != SQLITE_OK {
            return code;
        }
        offset += part.len();
    }
    SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; what is held came from `Box::into_raw`.
    unsafe {
        drop(Box::from_raw((*file.cast::<LogFile>()).held));
        forward_close(file)
    }
}

/// Functions that pass a call on to the layer below.
macro_rules! forward {
    ($($name:ident => $method:ident($($argument:ident: $type:ty),*);)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: the file below was opened with its own methods.
            unsafe {
                let below = below_of(file);
                match (*(*below).pMethods).$method {
                    Some(method) => method(below $(, $argument)*),
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
    sync => xSync(flags: c_int);
    file_size => xFileSize(size: *mut sqlite3_int64);
    lock => xLock(level: c_int);
    unlock => xUnlock(level: c_int);
    check_reserved_lock => xCheckReservedLock(out: *mut c_int);
    file_control => xFileControl(operation: c_int, argument: *mut c_void);
    sector_size => xSectorSize();
    device_characteristics => xDeviceCharacteristics();
}

/// Version 1: a log has no shared memory of its own, and is not mapped.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
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
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    fn header(commits: bool) -> [u8; FRAME_HEADER] {
        let mut header = [7; FRAME_HEADER];
        header[COMMIT_SIZE].fill(u8::from(commits));
        header
    }

    #[test]
    fn frames_are_held_until_the_one_that_commits() {
        let mut held = Held::default();
        assert_eq!(held.take(32, &header(false)), Decision::Hold);
        assert_eq!(held.take(56, &[1; PAGE]), Decision::Hold);
        assert_eq!(held.take(4152, &header(true)), Decision::Hold);
        assert_eq!(held.take(4176, &[2; PAGE]), Decision::Flush);
        assert_eq!((held.offset, held.bytes.len()), (32, 2 * (FRAME_HEADER + PAGE)));
        held.clear();
        assert_eq!(
            held.take(8272, &header(true)),
            Decision::Hold,
            "the next commit begins anew"
        );
    }

    #[test]
    fn the_header_of_the_log_is_written_at_once() {
        assert_eq!(Held::default().take(0, &[0; 32]), Decision::Pass);
    }

    #[test]
    fn frames_that_do_not_follow_each_other_are_refused() {
        let mut held = Held::default();
        assert_eq!(held.take(32, &header(false)), Decision::Hold);
        assert_eq!(held.take(56, &[1; PAGE]), Decision::Hold);
        assert_eq!(held.take(32, &header(false)), Decision::Refuse, "a gap");
        assert_eq!(
            held.take(4152, &[1; PAGE]),
            Decision::Refuse,
            "a page without a header"
        );
    }
}
