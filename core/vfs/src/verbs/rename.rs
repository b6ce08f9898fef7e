//! rename.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, RenameFlags, Vfs};

impl Vfs {
    /// Moves a node, replaces or exchanges the target.
    ///
    /// # Errors
    /// `NotFound`, `Exists`, `NotEmpty`, `NotDirectory`, `IsDirectory`, `NotPermitted`, `AccessDenied`, `InvalidArgument`,
    /// `QuotaExceeded`, `ReadOnly`.
    pub async fn rename(
        &self,
        caller: &Caller,
        source: (Ino, &[u8]),
        target: (Ino, &[u8]),
        flags: RenameFlags,
    ) -> Result<()> {
        let _ = (caller, source, target, flags);
        Err(ErrorKind::NotSupported.into())
    }
}
