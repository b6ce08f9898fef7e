//! Making nodes: mknod, mkdir, symlink, link.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, EntryReply, NewNode, Vfs};

impl Vfs {
    /// Makes a file, pipe, socket or device.
    ///
    /// # Errors
    /// `Exists`, `NotFound`, `NotDirectory`, `AccessDenied`, `NotPermitted`, `NoSpace`, `QuotaExceeded`, `NameTooLong`,
    /// `ReadOnly`.
    pub async fn mknod(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        node: NewNode,
    ) -> Result<EntryReply> {
        let _ = (caller, parent, name, node);
        Err(ErrorKind::NotSupported.into())
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// As [`Vfs::mknod`].
    pub async fn mkdir(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        mode: u16,
        umask: u16,
    ) -> Result<EntryReply> {
        let _ = (caller, parent, name, mode, umask);
        Err(ErrorKind::NotSupported.into())
    }

    /// Makes a symlink.
    ///
    /// # Errors
    /// As [`Vfs::mknod`]; `InvalidArgument` or `NameTooLong` for a bad target.
    pub async fn symlink(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        target: &[u8],
    ) -> Result<EntryReply> {
        let _ = (caller, parent, name, target);
        Err(ErrorKind::NotSupported.into())
    }

    /// Gives a node one more name.
    ///
    /// # Errors
    /// As [`Vfs::mknod`]; `NotPermitted` for directories, internal nodes and by flags.
    pub async fn link(&self, caller: &Caller, ino: Ino, parent: Ino, name: &[u8]) -> Result<EntryReply> {
        let _ = (caller, ino, parent, name);
        Err(ErrorKind::NotSupported.into())
    }
}
