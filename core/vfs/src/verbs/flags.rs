//! Inode flags as chattr sets them.

use moorage_model::{ErrorKind, Flags, Ino, Result};

use crate::{Caller, Vfs};

impl Vfs {
    /// Flag bits of a node.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get_flags(&self, ino: Ino) -> Result<Flags> {
        let _ = (ino);
        Err(ErrorKind::NotSupported.into())
    }

    /// Replaces immutable, append-only and skip-trash (spec 70-semantics section 10).
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `NotSupported` for other bits, `ReadOnly`.
    pub async fn set_flags(&self, caller: &Caller, ino: Ino, flags: Flags) -> Result<()> {
        let _ = (caller, ino, flags);
        Err(ErrorKind::NotSupported.into())
    }
}
