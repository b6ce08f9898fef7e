//! access.

use moorage_meta::MAY_WRITE;
use moorage_model::{ErrorKind, Ino, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, Vfs};

impl Vfs {
    /// Whether the caller may use the node: bits 4 read, 2 write, 1 execute; 0 asks whether it exists.
    ///
    /// One engine read.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `ReadOnly` for writing to a read-only mount.
    pub async fn access(&self, caller: &Caller, ino: Ino, mask: u8) -> Result<()> {
        self.watch(
            Operation::Access,
            Some(caller),
            || format!("{ino},{mask}"),
            async {
                let ino = self.stored(ino);
                if let Some(node) = InternalNode::of(ino) {
                    return self.check_internal(caller, node, mask);
                }
                if mask & MAY_WRITE != 0 && self.options.read_only {
                    return Err(ErrorKind::ReadOnly.into());
                }
                self.meta
                    .access(&self.context_with_groups(caller), ino, mask)
                    .await
            },
        )
        .await
    }
}
