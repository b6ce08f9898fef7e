//! unlink and rmdir.

use moorage_meta::UnlinkOptions;
use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::journal::Operation;
use crate::{Caller, Vfs};

impl Vfs {
    /// Removes a name. A node that is open here keeps its content until the last handle closes. One transaction.
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `AccessDenied`, `NotDirectory`, `ReadOnly`.
    pub async fn unlink(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<()> {
        let arguments = || format!("{parent},{}", String::from_utf8_lossy(name));
        self.watch(Operation::Unlink, Some(caller), arguments, async {
            let (parent, name) = self.removable(parent, name)?;
            let options = UnlinkOptions::default();
            let context = self.context(caller);
            self.settled(self.meta.unlink(&context, parent, &name, options))
                .await?;
            self.letters.removed(parent, &name);
            Ok(())
        })
        .await
    }

    /// Removes an empty directory. One transaction.
    ///
    /// # Errors
    /// `NotFound`, `NotEmpty`, `NotDirectory`, `NotPermitted`, `AccessDenied`, `InvalidArgument` for `.`, `ReadOnly`.
    pub async fn rmdir(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<()> {
        let arguments = || format!("{parent},{}", String::from_utf8_lossy(name));
        self.watch(Operation::RmDir, Some(caller), arguments, async {
            let (parent, name) = self.removable(parent, name)?;
            let options = UnlinkOptions::default();
            let context = self.context(caller);
            self.settled(self.meta.rmdir(&context, parent, &name, options))
                .await?;
            self.letters.removed(parent, &name);
            Ok(())
        })
        .await
    }

    /// Checks what is to be removed or renamed: a writable mount, no internal node.
    pub(crate) fn removable(&self, parent: Ino, name: &[u8]) -> Result<(Ino, Name)> {
        self.check_writable()?;
        let parent = self.stored(parent);
        if parent.is_internal() {
            return Err(ErrorKind::NotDirectory.into());
        }
        if self.internal_at(parent, name).is_some() {
            return Err(ErrorKind::NotPermitted.into());
        }
        Ok((parent, Name::new(name)?))
    }
}
