//! readlink.

use moorage_meta::AtimeMode;
use moorage_model::{Ino, Result};

use crate::Vfs;
use crate::journal::Operation;

impl Vfs {
    /// Target of a symlink. Updates its access time where the client's options ask for it.
    ///
    /// One engine read.
    ///
    /// # Errors
    /// `NotFound`, `InvalidArgument` for other nodes.
    pub async fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        self.watch(Operation::ReadLink, None, || ino.to_string(), async {
            let ino = self.stored(ino);
            let target = self.meta.readlink(ino).await?;
            if self.meta.options().atime != AtimeMode::Never && !self.options.read_only {
                self.meta.touch_atime(ino).await?;
            }
            Ok(target)
        })
        .await
    }
}
