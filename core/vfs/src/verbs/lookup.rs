//! lookup.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, EntryReply, Vfs};

impl Vfs {
    /// The node behind a name; `.` and `..` work too. Internal nodes are found in the root.
    ///
    /// One engine read; ready on the first poll where the engine is. Takes one short lock when the node is open here, so that
    /// the length counts what its writers have not stored yet.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `NameTooLong`, `InvalidArgument`, `AccessDenied`.
    pub async fn lookup(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<EntryReply> {
        let _ = (caller, parent, name);
        Err(ErrorKind::NotSupported.into())
    }
}
