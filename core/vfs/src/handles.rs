//! Handles of open files and directories.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moorage_model::{Error, ErrorKind, LockOwner, Result};
use parking_lot::{Mutex, RwLock};

use crate::directory::Listing;
use crate::file::{OpenFile, Readahead, Told};
use crate::internal::OpenInternal;
use crate::{FileHandle, OpenFlags};

/// A handle to a stored file.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    /// What it shares with other handles of the file.
    pub(crate) file: Arc<OpenFile>,
    /// How it was opened.
    pub(crate) flags: OpenFlags,
    /// The process that opened it.
    pub(crate) process: u32,
    /// Bytes read through it.
    pub(crate) bytes_read: AtomicU64,
    /// What it knows of data that the file lost.
    pub(crate) told: Told,
    /// Its pattern of reads.
    pub(crate) readahead: Mutex<Readahead>,
    /// Owners that took POSIX locks through it; they end with it (spec 70-semantics section 7).
    pub(crate) record_owners: Mutex<Vec<LockOwner>>,
    /// Owners that took BSD locks through it.
    pub(crate) file_owners: Mutex<Vec<LockOwner>>,
}

/// What a handle leads to.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    /// A stored file.
    File(Arc<OpenedFile>),
    /// A directory.
    Directory(Arc<Listing>),
    /// A virtual file of the mount.
    Internal(Arc<OpenInternal>),
}

/// All handles of a mount.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    opened: RwLock<HashMap<u64, Opened>>,
    last: AtomicU64,
}

impl Handles {
    /// Adds a handle. Numbers are never used twice.
    pub(crate) fn add(&self, opened: Opened) -> FileHandle {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.opened.write().insert(number, opened);
        FileHandle(number)
    }

    /// What the handle leads to. One shared lock, one look-up.
    ///
    /// # Errors
    /// `BadHandle`.
    pub(crate) fn get(&self, handle: FileHandle) -> Result<Opened> {
        self.opened.read().get(&handle.0).cloned().ok_or_else(bad_handle)
    }

    /// A stored file.
    ///
    /// # Errors
    /// `BadHandle` for anything else.
    pub(crate) fn file(&self, handle: FileHandle) -> Result<Arc<OpenedFile>> {
        match self.get(handle)? {
            Opened::File(file) => Ok(file),
            Opened::Directory(_) | Opened::Internal(_) => Err(bad_handle()),
        }
    }

    /// A stored file that was opened for writing.
    ///
    /// # Errors
    /// `BadHandle`.
    pub(crate) fn writable(&self, handle: FileHandle) -> Result<Arc<OpenedFile>> {
        let file = self.file(handle)?;
        if file.flags.write || file.flags.append {
            Ok(file)
        } else {
            Err(bad_handle())
        }
    }

    /// A directory.
    ///
    /// # Errors
    /// `BadHandle` for anything else.
    pub(crate) fn directory(&self, handle: FileHandle) -> Result<Arc<Listing>> {
        match self.get(handle)? {
            Opened::Directory(listing) => Ok(listing),
            Opened::File(_) | Opened::Internal(_) => Err(bad_handle()),
        }
    }

    /// Takes a handle away.
    ///
    /// # Errors
    /// `BadHandle`.
    pub(crate) fn remove(&self, handle: FileHandle) -> Result<Opened> {
        self.opened.write().remove(&handle.0).ok_or_else(bad_handle)
    }

    /// All stored files that are open.
    pub(crate) fn files(&self) -> Vec<Arc<OpenedFile>> {
        let opened = self.opened.read();
        let files = opened.values().filter_map(|opened| match opened {
            Opened::File(file) => Some(Arc::clone(file)),
            Opened::Directory(_) | Opened::Internal(_) => None,
        });
        files.collect()
    }

    /// Number of handles.
    pub(crate) fn len(&self) -> usize {
        self.opened.read().len()
    }
}

fn bad_handle() -> Error {
    ErrorKind::BadHandle.into()
}
