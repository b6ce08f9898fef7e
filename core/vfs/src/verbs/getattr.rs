//! getattr.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{AttrReply, Vfs};

impl Vfs {
    /// Attributes of a node, read afresh; length and modification time count what writers of this client have not stored
    /// yet. A change made by another client drops what is cached of the content.
    ///
    /// One engine read; ready on the first poll where the engine is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn getattr(&self, ino: Ino) -> Result<AttrReply> {
        let _ = (ino);
        Err(ErrorKind::NotSupported.into())
    }
}
