//! readlink.

use moorage_model::{ErrorKind, Ino, Result};

use crate::Vfs;

impl Vfs {
    /// Target of a symlink.
    ///
    /// # Errors
    /// `NotFound`, `InvalidArgument` for other nodes.
    pub async fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        let _ = (ino);
        Err(ErrorKind::NotSupported.into())
    }
}
