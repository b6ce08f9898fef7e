//! Inode flags as chattr sets them.

use moorage_model::{ErrorKind, Flags, Ino, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, Vfs};

/// What a mount lets callers set (spec 70-semantics section 10).
const SETTABLE: Flags = Flags(Flags::IMMUTABLE.0 | Flags::APPEND.0 | Flags::SKIP_TRASH.0);

impl Vfs {
    /// Flag bits of a node. One engine read.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get_flags(&self, ino: Ino) -> Result<Flags> {
        self.watch(Operation::GetFlags, None, || ino.to_string(), async {
            let ino = self.stored(ino);
            match InternalNode::of(ino) {
                Some(_) => Ok(Flags::default()),
                None => Ok(self.meta.getattr(ino).await?.flags),
            }
        })
        .await
    }

    /// Replaces immutable, append-only and skip-trash (spec 70-semantics section 10). One transaction.
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `NotSupported` for other bits, `ReadOnly`.
    pub async fn set_flags(&self, caller: &Caller, ino: Ino, flags: Flags) -> Result<()> {
        let arguments = || format!("{ino},{}", flags.0);
        self.watch(Operation::SetFlags, Some(caller), arguments, async {
            let ino = self.stored(ino);
            if flags.0 & !SETTABLE.0 != 0 {
                return Err(ErrorKind::NotSupported.into());
            }
            if InternalNode::of(ino).is_some() {
                return Err(ErrorKind::NotPermitted.into());
            }
            self.check_writable()?;
            self.meta
                .set_flags(&self.context(caller), ino, flags, SETTABLE)
                .await
                .map(drop)
        })
        .await
    }
}
