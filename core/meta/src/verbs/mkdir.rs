//! mkdir.

use moorage_model::{Ino, Name, NodeType, Result};

use super::create::{CreateNode, Created};
use crate::{Context, Meta};

impl Meta {
    /// Makes a directory; see [`Meta::mknod`] for reads, writes and round trips.
    ///
    /// # Errors
    /// See [`Meta::mknod`].
    pub async fn mkdir(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        mode: u16,
        umask: u16,
    ) -> Result<Created> {
        let node = CreateNode {
            kind: NodeType::Directory,
            mode,
            umask,
            rdev: 0,
            symlink_target: None,
        };
        self.mknod(context, parent, name, node).await
    }
}
