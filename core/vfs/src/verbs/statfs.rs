//! statfs.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{StatFsReply, Vfs};

impl Vfs {
    /// Sizes of the volume, or of what quotas leave to this mount.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn statfs(&self, ino: Ino) -> Result<StatFsReply> {
        let _ = (ino);
        Err(ErrorKind::NotSupported.into())
    }
}
