//! getattr.

use moorage_model::{Ino, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{AttrReply, Vfs};

impl Vfs {
    /// Attributes of a node, read afresh; length and modification time count what writers of this client have not
    /// stored yet. A change made by another client drops what is cached of the content.
    ///
    /// One engine read; ready on the first poll where the engine is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn getattr(&self, ino: Ino) -> Result<AttrReply> {
        self.watch(Operation::GetAttr, None, || ino.to_string(), async {
            let ino = self.stored(ino);
            match InternalNode::of(ino) {
                Some(node) => Ok(self.attributes(ino, self.internal_attr(node))),
                None => Ok(self.attributes(ino, self.fresh_attr(ino).await?)),
            }
        })
        .await
    }
}
