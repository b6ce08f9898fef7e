//! readlink.

use moorage_model::{Error, ErrorKind, Ino, NodeType, Result};

use crate::{Key, Meta, TxnExt as _};

impl Meta {
    /// Target of a symlink. The access time is the caller's matter ([`Meta::touch_atime`]).
    ///
    /// One engine read; one more when there is no target.
    ///
    /// # Errors
    /// `NotFound`, `InvalidArgument` when the node is no symlink, `Corrupt` when its target is missing.
    pub async fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        if let Some(target) = self.engine.get(&[Key::Symlink(ino)]).await?.symlink()? {
            return Ok(target);
        }
        match self.getattr(ino).await?.kind {
            NodeType::Symlink => Err(Error::new(
                ErrorKind::Corrupt,
                format!("the target of symlink {ino} is missing"),
            )
            .with_advice("Remove the symlink and make it anew.")),
            _ => Err(ErrorKind::InvalidArgument.into()),
        }
    }
}
