//! open and create.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, EntryReply, NewNode, OpenFlags, OpenReply, Vfs};

impl Vfs {
    /// Opens a file; every success needs one [`Vfs::release`]. Attributes are read afresh, so that what another client
    /// closed before is seen (close-to-open); `keep_cache` only when the content is what this client knows already.
    ///
    /// One engine read; two more round trips with `truncate`.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `NotPermitted`, `IsDirectory`, `ReadOnly`.
    pub async fn open(&self, caller: &Caller, ino: Ino, flags: OpenFlags) -> Result<OpenReply> {
        let _ = (caller, ino, flags);
        Err(ErrorKind::NotSupported.into())
    }

    /// Makes a file and opens it; an existing one is opened unless `flags.exclusive`.
    ///
    /// # Errors
    /// As [`Vfs::mknod`] and [`Vfs::open`].
    pub async fn create(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        node: NewNode,
        flags: OpenFlags,
    ) -> Result<(EntryReply, OpenReply)> {
        let _ = (caller, parent, name, node, flags);
        Err(ErrorKind::NotSupported.into())
    }
}
