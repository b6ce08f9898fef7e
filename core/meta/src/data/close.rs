//! Closing a file.

use moorage_model::{Ino, Result};

use crate::Meta;
use crate::open_files::{LastClose, Openable};

/// What the last close still has to do; left to the background when dropped.
struct Unfinished<'m> {
    meta: &'m Meta,
    ino: Ino,
    work: LastClose,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.meta.finish_close_later(self.ino, self.work);
    }
}

impl Meta {
    /// Takes back one successful [`Meta::open_file`] (or the handle of a create). When it was the last handle of an
    /// unlinked file, the file becomes a deleted file whose data is removed in the background
    /// (spec 70-semantics section 4).
    ///
    /// # Errors
    /// What the engine answers; the background tries once more, and at last the end of the session does.
    ///
    /// # Cancel safety
    /// The handle is taken back at once; the rest happens in the background when the future is dropped.
    pub async fn close_file(&self, ino: Ino) -> Result<()> {
        match self.open_files.note_close(ino) {
            LastClose::Nothing => Ok(()),
            work => {
                let mut unfinished = Unfinished {
                    meta: self,
                    ino,
                    work,
                };
                self.finish_close(ino, work).await?;
                unfinished.work = LastClose::Nothing;
                Ok(())
            }
        }
    }

    /// Counts a handle of a file that the caller knows and has checked. `false`, and nothing counted, while this client
    /// takes the file away: only [`Meta::open_file`] can tell what becomes of it.
    pub fn note_open(&self, ino: Ino) -> bool {
        match self.open_files.note_open(ino) {
            Openable::Yes => true,
            Openable::Never => false,
            Openable::AfterRemoval => {
                self.finish_close_later(ino, self.open_files.note_close(ino));
                false
            }
        }
    }

    /// Number of inodes with open handles in this client.
    pub fn open_file_count(&self) -> usize {
        self.open_files.len()
    }
}
