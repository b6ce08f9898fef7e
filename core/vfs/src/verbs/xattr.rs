//! Extended attributes.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, SetXattrMode, Vfs};

impl Vfs {
    /// Value of an attribute; ACLs under their `system.posix_acl_…` names.
    ///
    /// # Errors
    /// `NoAttribute`, `NotFound`, `NotSupported` when the mount serves none.
    pub async fn getxattr(&self, caller: &Caller, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        let _ = (caller, ino, name);
        Err(ErrorKind::NotSupported.into())
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// `Exists`, `NoAttribute`, `OutOfRange`, `NotPermitted`, `NotSupported`, `InvalidArgument`, `ReadOnly`.
    pub async fn setxattr(
        &self,
        caller: &Caller,
        ino: Ino,
        name: &[u8],
        value: &[u8],
        mode: SetXattrMode,
    ) -> Result<()> {
        let _ = (caller, ino, name, value, mode);
        Err(ErrorKind::NotSupported.into())
    }

    /// Names of all attributes.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn listxattr(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        let _ = (ino);
        Err(ErrorKind::NotSupported.into())
    }

    /// Removes an attribute.
    ///
    /// # Errors
    /// `NoAttribute`, `NotFound`, `NotPermitted`, `NotSupported`, `ReadOnly`.
    pub async fn removexattr(&self, caller: &Caller, ino: Ino, name: &[u8]) -> Result<()> {
        let _ = (caller, ino, name);
        Err(ErrorKind::NotSupported.into())
    }
}
