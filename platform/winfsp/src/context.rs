//! What Windows holds of a file or folder between opening and closing it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use moorage_model::Ino;
use moorage_vfs::FileHandle;
use parking_lot::Mutex;

/// An open file or folder.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The node; another one takes its place when a file is made into a link.
    ino: AtomicU64,
    replaced: AtomicBool,
    /// Windows knows it as a folder: it is one, or a link to one.
    pub(crate) is_folder: bool,
    /// For content: none where only attributes, rights or the name were asked for.
    pub(crate) data: Option<DataHandle>,
    /// The listing of a folder, once one was asked for.
    pub(crate) listing: Mutex<Listing>,
}

/// A handle of a file's content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataHandle {
    pub(crate) handle: FileHandle,
    pub(crate) writes: bool,
}

/// How far a folder was listed. Windows asks on behind the name that it got last.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) handle: Option<FileHandle>,
    /// The names that were given last, each with the place behind it: the driver may not take all of them at once.
    pub(crate) given: Vec<(Vec<u16>, u64)>,
}

impl Opened {
    pub(crate) fn new(ino: Ino, is_folder: bool, data: Option<DataHandle>) -> Opened {
        Opened {
            ino: AtomicU64::new(ino.0),
            replaced: AtomicBool::new(false),
            is_folder,
            data,
            listing: Mutex::default(),
        }
    }

    pub(crate) fn ino(&self) -> Ino {
        Ino(self.ino.load(Relaxed))
    }

    /// Another node has its name now.
    pub(crate) fn replaced_by(&self, ino: Ino) {
        self.ino.store(ino.0, Relaxed);
        self.replaced.store(true, Relaxed);
    }

    /// The handle of content, while it leads to the node.
    pub(crate) fn content(&self) -> Option<DataHandle> {
        self.data.filter(|_| !self.replaced.load(Relaxed))
    }
}
