//! getattr.

use moorage_model::{Attr, ErrorKind, Ino, Result};

use crate::{Key, Meta, TxnExt as _};

impl Meta {
    /// Attributes of a node.
    ///
    /// One engine read, nothing written.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming a damaged record.
    pub async fn getattr(&self, ino: Ino) -> Result<Attr> {
        self.engine
            .get(&[Key::Node(ino)])
            .await?
            .node()?
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Attributes of many nodes in one engine read, `None` for those that do not exist, in the order asked.
    ///
    /// # Errors
    /// `Corrupt` naming a damaged record.
    pub async fn getattrs(&self, inodes: &[Ino]) -> Result<Vec<Option<Attr>>> {
        let keys: Vec<Key> = inodes.iter().map(|ino| Key::Node(*ino)).collect();
        let mut nodes = self.engine.get(&keys).await?;
        inodes.iter().map(|_| nodes.node()).collect()
    }
}
