//! Command 1002: remove a tree.

use moorage_meta::Context;
use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_model::{Ino, Result};

use super::codec::Answer;
use crate::Vfs;

impl Vfs {
    /// Removes an entry and everything below it, as far as the caller may.
    ///
    /// # Errors
    /// As [`moorage_meta::Meta::remove_tree`].
    pub(super) async fn remove_by_command(
        &self,
        identity: &Context,
        (parent, name): (Ino, &[u8]),
        options: RemoveTreeOptions,
        progress: &Progress,
    ) -> Result<Answer> {
        let (folder, name) = self.removable(parent, name)?;
        self.reachable(identity, parent).await?;
        let removed = self
            .meta
            .remove_tree(identity, folder, &name, options, progress)
            .await;
        // Also a removal that broke off may have removed something.
        self.notify_entry(folder, &name);
        removed?;
        Ok(Answer::Status(0))
    }
}
