//! getattr.

use moorage_model::{Ino, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{AttrReply, FileHandle, Vfs};

impl Vfs {
    /// Attributes of a node, read afresh, or those that this client stored of a directory a moment ago, for as long as
    /// whoever asks could have kept them; length and modification time count what writers of this client have not
    /// stored yet. A change made by another client drops what is cached of the content.
    ///
    /// One engine read, none for a directory that this client has just changed; ready on the first poll where the engine
    /// is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn getattr(&self, ino: Ino) -> Result<AttrReply> {
        self.watch(Operation::GetAttr, None, || ino.to_string(), async {
            let ino = self.stored(ino);
            match InternalNode::of(ino) {
                Some(node) => Ok(self.attributes(ino, self.internal_attr(node))),
                None => match self.stored_directory(ino) {
                    Some(reply) => Ok(reply),
                    None => Ok(self.attributes(ino, self.fresh_attr(ino).await?)),
                },
            }
        })
        .await
    }

    /// Attributes of an open file as this client knows them: those of the last look at it, with what was written here since.
    /// Two short locks.
    ///
    /// # Errors
    /// `BadHandle`, also for a folder or an internal node.
    pub fn open_attributes(&self, handle: FileHandle) -> Result<AttrReply> {
        let opened = self.handles.file(handle)?;
        let attr = opened.file.content().shown();
        Ok(self.attributes(opened.file.ino, attr))
    }

    /// The answer from what this client stored. Where changes of others are told at once, it is not known whether one was
    /// told since.
    fn stored_directory(&self, ino: Ino) -> Option<AttrReply> {
        if self.coherence.is_some() {
            return None;
        }
        let (attr, ttl) = self.meta.stored_directory(ino, self.options.attr_ttl)?;
        Some(AttrReply {
            ttl,
            ..self.attributes(ino, attr)
        })
    }
}
