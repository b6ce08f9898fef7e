//! unlink and rmdir.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, Vfs};

impl Vfs {
    /// Removes a name. A node that is open here keeps its content until the last handle closes.
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `AccessDenied`, `NotDirectory`, `ReadOnly`.
    pub async fn unlink(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<()> {
        let _ = (caller, parent, name);
        Err(ErrorKind::NotSupported.into())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `NotFound`, `NotEmpty`, `NotDirectory`, `NotPermitted`, `AccessDenied`, `InvalidArgument` for `.`, `ReadOnly`.
    pub async fn rmdir(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<()> {
        let _ = (caller, parent, name);
        Err(ErrorKind::NotSupported.into())
    }
}
