//! Extended attributes.

use moorage_meta::XattrMode;
use moorage_model::{ErrorKind, Ino, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, SetXattrMode, Vfs};

impl Vfs {
    /// Value of an attribute; ACLs under their `system.posix_acl_…` names. One engine read.
    ///
    /// # Errors
    /// `NoAttribute`, `NotFound`, `NotSupported` when the mount serves none.
    pub async fn getxattr(&self, caller: &Caller, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        let arguments = || format!("{ino},{}", String::from_utf8_lossy(name));
        self.watch(Operation::GetXattr, Some(caller), arguments, async {
            let ino = self.stored(ino);
            self.check_xattrs(ino, ErrorKind::NoAttribute)?;
            if !self.serves(name) {
                return Err(ErrorKind::NoAttribute.into());
            }
            self.meta.get_xattr(&self.context(caller), ino, name).await
        })
        .await
    }

    /// Sets an attribute. One transaction.
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
        let arguments = || format!("{ino},{},{},{mode:?}", String::from_utf8_lossy(name), value.len());
        self.watch(Operation::SetXattr, Some(caller), arguments, async {
            let ino = self.stored(ino);
            self.check_writable()?;
            self.check_xattrs(ino, ErrorKind::NotPermitted)?;
            if !self.serves(name) {
                return Err(ErrorKind::NotSupported.into());
            }
            let mode = match mode {
                SetXattrMode::Any => XattrMode::Any,
                SetXattrMode::Create => XattrMode::Create,
                SetXattrMode::Replace => XattrMode::Replace,
            };
            // Setting an ACL has a rule about membership in the group.
            self.meta
                .set_xattr(&self.context_with_groups(caller), ino, name, value, mode)
                .await
        })
        .await
    }

    /// Names of all attributes. One engine read per page of names.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn listxattr(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        self.watch(Operation::ListXattr, None, || ino.to_string(), async {
            let ino = self.stored(ino);
            self.check_xattrs(ino, ErrorKind::NoAttribute)?;
            let mut names = self.meta.list_xattrs(ino).await?;
            names.retain(|name| self.serves(name));
            Ok(names)
        })
        .await
    }

    /// Removes an attribute. One transaction.
    ///
    /// # Errors
    /// `NoAttribute`, `NotFound`, `NotPermitted`, `NotSupported`, `ReadOnly`.
    pub async fn removexattr(&self, caller: &Caller, ino: Ino, name: &[u8]) -> Result<()> {
        let arguments = || format!("{ino},{}", String::from_utf8_lossy(name));
        self.watch(Operation::RemoveXattr, Some(caller), arguments, async {
            let ino = self.stored(ino);
            self.check_writable()?;
            self.check_xattrs(ino, ErrorKind::NotPermitted)?;
            if !self.serves(name) {
                return Err(ErrorKind::NotSupported.into());
            }
            self.meta
                .remove_xattr(&self.context_with_groups(caller), ino, name)
                .await
        })
        .await
    }

    /// Whether attributes are served at all, and have a place on this node; else `internal` for a node that is not
    /// stored.
    fn check_xattrs(&self, ino: Ino, internal: ErrorKind) -> Result<()> {
        if !self.options.enable_xattr {
            return Err(ErrorKind::NotSupported.into());
        }
        match InternalNode::of(ino) {
            Some(_) => Err(internal.into()),
            None => Ok(()),
        }
    }

    /// Whether the mount serves this name (spec 70-semantics section 9).
    fn serves(&self, name: &[u8]) -> bool {
        match name {
            b"security.capability" => self.options.enable_capabilities,
            b"security.selinux" => self.options.enable_selinux,
            _ => true,
        }
    }
}
