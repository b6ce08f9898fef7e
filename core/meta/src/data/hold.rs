//! Keeping a file that was found until it is opened.

use std::sync::Arc;

use moorage_model::{ErrorKind, Ino, Result};

use super::Opening;
use crate::{Key, Meta, TxnExt as _};

/// A file that counts as open in this client until this is dropped: what this client removes meanwhile keeps its content
/// and attributes, as with a handle.
#[derive(Debug)]
pub struct HeldFile {
    meta: Arc<Meta>,
    ino: Ino,
}

impl HeldFile {
    /// The file.
    pub fn ino(&self) -> Ino {
        self.ino
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        self.meta
            .finish_close_later(self.ino, self.meta.open_files.note_close(self.ino));
    }
}

impl Meta {
    /// Keeps a file that was found a moment ago, for somebody who is about to open it. One read.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    ///
    /// # Cancel safety
    /// Dropping the future keeps nothing.
    pub async fn hold_file(self: &Arc<Self>, ino: Ino) -> Result<HeldFile> {
        let opening = Opening::begin(self, ino).await?;
        let found = self.engine.get(&[Key::Node(ino)]).await?.node()?;
        found.ok_or(ErrorKind::NotFound)?;
        opening.succeed();
        Ok(HeldFile {
            meta: Arc::clone(self),
            ino,
        })
    }
}
