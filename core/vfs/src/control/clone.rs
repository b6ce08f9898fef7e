//! Command 1006: clone a tree.

use moorage_meta::Context;
use moorage_meta::admin::{CloneOptions, Progress};
use moorage_model::{Ino, Result};

use super::codec::Answer;
use crate::Vfs;

impl Vfs {
    /// Clones a node, with everything below it, to a new name. What was written through this mount before is part of it.
    ///
    /// # Errors
    /// As [`moorage_meta::Meta::clone_tree`]; what storing written content answers.
    pub(super) async fn clone_by_command(
        &self,
        identity: &Context,
        source: Ino,
        (parent, name): (Ino, &[u8]),
        options: CloneOptions,
        progress: &Progress,
    ) -> Result<Answer> {
        let (folder, name) = self.place(parent, name)?;
        let (source, _) = self.reachable(identity, source).await?;
        self.reachable(identity, parent).await?;
        self.store_written().await?;
        self.meta
            .clone_tree(identity, source, folder, &name, options, progress)
            .await?;
        self.notify_entry(folder, &name);
        Ok(Answer::Status(0))
    }
}
