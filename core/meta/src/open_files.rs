//! Which inodes this client holds open, and what has to happen when the last handle closes.

use std::collections::HashMap;

use moorage_model::Ino;
use parking_lot::Mutex;

/// What the last close of an inode has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LastClose {
    /// Nothing: the file still has a name.
    #[default]
    Nothing,
    /// It is sustained by this session: turn it into a deleted file (spec 70-semantics section 4, step 2).
    DeleteSustained,
    /// It was deleted while it was being opened: remove its data, whose length is given.
    RemoveData(u64),
}

#[derive(Debug, Default)]
struct OpenFile {
    handles: u64,
    last_close: LastClose,
}

/// Inodes open in this client with the number of their handles.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    files: Mutex<HashMap<Ino, OpenFile>>,
}

impl OpenFiles {
    /// Counts one more handle.
    pub(crate) fn note_open(&self, ino: Ino) {
        self.files.lock().entry(ino).or_default().handles += 1;
    }

    /// Counts one handle less; on the last one says what is to be done.
    pub(crate) fn note_close(&self, ino: Ino) -> LastClose {
        let mut files = self.files.lock();
        let Some(file) = files.get_mut(&ino) else {
            return LastClose::Nothing;
        };
        file.handles = file.handles.saturating_sub(1);
        if file.handles > 0 {
            return LastClose::Nothing;
        }
        files
            .remove(&ino)
            .map_or(LastClose::Nothing, |file| file.last_close)
    }

    /// Whether a handle is open. Unlink decides by it between a sustained and a deleted file.
    pub(crate) fn is_open(&self, ino: Ino) -> bool {
        self.files.lock().contains_key(&ino)
    }

    /// Leaves work to the last close; `false` when no handle is open any more and the caller has to do it.
    pub(crate) fn defer(&self, ino: Ino, work: LastClose) -> bool {
        match self.files.lock().get_mut(&ino) {
            Some(file) => {
                file.last_close = work;
                true
            }
            None => false,
        }
    }

    /// Number of inodes that are open.
    pub(crate) fn len(&self) -> usize {
        self.files.lock().len()
    }
}
