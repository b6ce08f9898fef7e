//! access.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, Vfs};

impl Vfs {
    /// Whether the caller may use the node: bits 4 read, 2 write, 1 execute; 0 asks whether it exists.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `ReadOnly` for writing to a read-only mount.
    pub async fn access(&self, caller: &Caller, ino: Ino, mask: u8) -> Result<()> {
        let _ = (caller, ino, mask);
        Err(ErrorKind::NotSupported.into())
    }
}
