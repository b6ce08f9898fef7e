//! The state of the write-ahead log, as the index that all clients of a database share in memory tells it.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_FCNTL_FILE_POINTER, SQLITE_OK, sqlite3_file, sqlite3_file_control};

/// Words of one copy of the header (SQLite, "WAL-mode file format", section 2.1: 48 bytes).
const HEADER_WORDS: usize = 12;
/// Bytes of one region of the index.
const REGION_BYTES: c_int = 32 << 10;
/// Frames of the log that one region tells of.
const FRAMES_PER_REGION: u64 = 4096;
/// Least bytes of a frame in the log of a database whose pages have 1 KiB or more.
const LEAST_FRAME_BYTES: u64 = 1024 + 24;
/// First version of a file's methods that has shared memory.
const SHARED_MEMORY_VERSION: c_int = 2;
/// Place of the counter that every transaction raises by one.
const CHANGE_WORD: usize = 2;

/// What the header says: equal states stand for equal contents of the database, since each commit of any program raises
/// a counter and stores the checksum of its last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogState([u32; HEADER_WORDS]);

impl LogState {
    /// Whether one transaction, and no more, made this state out of `before`.
    pub(super) fn is_next_of(&self, before: &LogState) -> bool {
        let [this, earlier] =
            [self, before].map(|state| state.0.get(CHANGE_WORD).copied().unwrap_or_default());
        this == earlier.wrapping_add(1)
    }
}

/// A region of the index of the main database of a connection; with `extend` it is made when it is missing. `None` when
/// there is none, or the file system has no shared memory.
fn region(connection: &Connection, number: c_int, extend: bool) -> Option<NonNull<c_void>> {
    let mut file: *mut sqlite3_file = std::ptr::null_mut();
    let mut region: *mut c_void = std::ptr::null_mut();
    // SAFETY: the connection is open; SQLite stores a pointer to its file, whose methods are the ones that its version
    // says.
    let answered = unsafe {
        let asked = sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            SQLITE_FCNTL_FILE_POINTER,
            (&raw mut file).cast(),
        );
        if asked != SQLITE_OK {
            return None;
        }
        let methods = file.as_ref()?.pMethods.as_ref()?;
        if methods.iVersion < SHARED_MEMORY_VERSION {
            return None;
        }
        methods.xShmMap?(
            file,
            number,
            REGION_BYTES,
            c_int::from(extend),
            (&raw mut region).cast(),
        )
    };
    if answered == SQLITE_OK {
        NonNull::new(region)
    } else {
        None
    }
}

/// The first region of the index of one open database, where its header is.
#[derive(Debug)]
pub(super) struct LogIndex {
    /// Two copies of the header, one behind the other.
    header: NonNull<AtomicU32>,
}

// SAFETY: the memory is shared between processes anyway and is read atomically only; whose it is stays open, see
// `LogIndex::of`.
unsafe impl Send for LogIndex {}

impl LogIndex {
    /// Of the main database of a connection that is in WAL mode and has read from it; `None` when its file system has no
    /// shared memory.
    ///
    /// # Safety
    /// The connection has to stay open and in WAL mode as long as the index is used.
    pub(super) unsafe fn of(connection: &Connection) -> Option<LogIndex> {
        // The region exists already, so that asking for it changes nothing.
        let header = region(connection, 0, false)?;
        Some(LogIndex {
            header: header.cast(),
        })
    }

    /// Makes the index long enough for a log of this length, so that no commit has to: it could not on a full disk. The
    /// connection has to be in a transaction that writes, since SQLite's clients lengthen the index under that lock
    /// alone.
    pub(super) fn lengthen(connection: &Connection, log_bytes: u64) {
        let frames = log_bytes / LEAST_FRAME_BYTES;
        let regions = c_int::try_from(frames / FRAMES_PER_REGION + 1).unwrap_or(1);
        for number in 1..regions {
            if region(connection, number, true).is_none() {
                tracing::debug!("the index of the database's log grows as it is used");
                return;
            }
        }
    }

    /// The state now: no system call. `None` while somebody changes it.
    pub(super) fn state(&self) -> Option<LogState> {
        let first = self.copy(0);
        // A writer stores the second copy first (SQLite, "WAL-mode file format", section 2.1).
        fence(Ordering::SeqCst);
        let second = self.copy(1);
        (first == second).then_some(LogState(first))
    }

    fn copy(&self, number: usize) -> [u32; HEADER_WORDS] {
        std::array::from_fn(|word| {
            // SAFETY: both copies are inside the region, which is aligned to a page and stays mapped (`LogIndex::of`).
            unsafe { self.header.add(number * HEADER_WORDS + word).as_ref() }.load(Ordering::Relaxed)
        })
    }
}
