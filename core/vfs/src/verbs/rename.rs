//! rename.

use moorage_meta::RenameFlags as MetaFlags;
use moorage_model::{Ino, Result};

use crate::journal::Operation;
use crate::{Caller, RenameFlags, Vfs};

impl Vfs {
    /// Moves a node, replaces or exchanges the target. One transaction.
    ///
    /// # Errors
    /// `NotFound`, `Exists`, `NotEmpty`, `NotDirectory`, `IsDirectory`, `NotPermitted`, `AccessDenied`,
    /// `InvalidArgument`, `QuotaExceeded`, `ReadOnly`.
    pub async fn rename(
        &self,
        caller: &Caller,
        source: (Ino, &[u8]),
        target: (Ino, &[u8]),
        flags: RenameFlags,
    ) -> Result<()> {
        let arguments = || {
            let names = (
                String::from_utf8_lossy(source.1),
                String::from_utf8_lossy(target.1),
            );
            format!("{},{},{},{},{flags:?}", source.0, names.0, target.0, names.1)
        };
        self.watch(Operation::Rename, Some(caller), arguments, async {
            let (from, old_name) = self.removable(source.0, source.1)?;
            let (to, new_name) = self.removable(target.0, target.1)?;
            if self.is_hidden_trash(to, &new_name) {
                return Err(moorage_model::ErrorKind::NotPermitted.into());
            }
            let flags = MetaFlags {
                no_replace: flags.no_replace,
                exchange: flags.exchange,
                restore: false,
            };
            let context = self.context(caller);
            let renamed = self
                .meta
                .rename(&context, (from, &old_name), (to, &new_name), flags);
            let (ino, attr) = self.settled(renamed).await?;
            self.note_new_name(ino, &attr);
            if !flags.exchange {
                self.letters.removed(from, &old_name);
                self.letters.added(to, &new_name);
            }
            self.note_renamed(ino, &attr, (from, &old_name), (to, &new_name), flags.exchange);
            Ok(())
        })
        .await
    }
}
