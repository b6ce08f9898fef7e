//! symlink.

use moorage_model::{Ino, Name, NodeType, Result};

use super::create::{CreateNode, Created};
use crate::{Context, Meta};

impl Meta {
    /// Makes a symbolic link to `target`, 1 to 4096 bytes without NUL; see [`Meta::mknod`] for reads, writes and round
    /// trips.
    ///
    /// # Errors
    /// See [`Meta::mknod`].
    pub async fn symlink(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        target: &[u8],
    ) -> Result<Created> {
        let symlink_target = Some(target.to_vec());
        let node = CreateNode {
            kind: NodeType::Symlink,
            mode: 0o777,
            umask: 0,
            rdev: 0,
            symlink_target,
        };
        self.mknod(context, parent, name, node).await
    }
}
