//! fallocate and copy_file_range.

use moorage_meta::FallocateMode as MetaMode;
use moorage_model::{ErrorKind, Result};

use crate::journal::Operation;
use crate::{Caller, FallocateMode, FileHandle, Vfs};

impl Vfs {
    /// Makes room for, zeroes or punches a range. What was written before is stored first. The set-id bits
    /// go unless root asks. One transaction.
    ///
    /// # Errors
    /// `InvalidArgument`, `FileTooLarge`, `NotPermitted`, `BadHandle`, `Stale`, `NoSpace`, `QuotaExceeded`,
    /// `NotSupported`.
    pub async fn fallocate(
        &self,
        caller: &Caller,
        handle: FileHandle,
        mode: FallocateMode,
        offset: u64,
        length: u64,
    ) -> Result<()> {
        let arguments = || format!("{},{mode:?},{offset},{length}", handle.0);
        self.watch(Operation::Fallocate, Some(caller), arguments, async {
            self.check_writable()?;
            let opened = self.handles.writable(handle)?;
            let file = &opened.file;
            let _turn = file.turn().await;
            file.store_and_commit(self).await?;
            file.tell_at_write(&opened.told)?;
            let mode = MetaMode {
                keep_size: mode.keep_size,
                punch_hole: mode.punch_hole,
                zero_range: mode.zero_range,
            };
            let context = self.context(caller);
            let changed = self.meta.fallocate(&context, file.ino, mode, offset, length);
            let attr = changed.await.map_err(|error| file.stale_when_gone(error))?;
            file.content_mut().rewritten(attr);
            Ok(())
        })
        .await
    }

    /// Copies bytes between two open files by sharing their slices; returns the bytes copied, which may be fewer. What
    /// was written to both before is stored first. The set-id bits of the target go unless root asks. One transaction,
    /// no data is moved.
    ///
    /// # Errors
    /// `InvalidArgument` for overlapping ranges, `BadHandle`, `Stale`, `NotPermitted`, `FileTooLarge`,
    /// `NoSpace`, `QuotaExceeded`.
    pub async fn copy_file_range(
        &self,
        caller: &Caller,
        source: (FileHandle, u64),
        target: (FileHandle, u64),
        length: u64,
    ) -> Result<u64> {
        let arguments = || format!("{},{},{},{},{length}", source.0.0, source.1, target.0.0, target.1);
        self.watch(Operation::CopyFileRange, Some(caller), arguments, async {
            self.check_writable()?;
            let (from, to) = (self.handles.file(source.0)?, self.handles.writable(target.0)?);
            if to.flags.append {
                return Err(ErrorKind::BadHandle.into());
            }
            for opened in [&from, &to] {
                opened.file.tell_at_write(&opened.told)?;
            }
            let (from, to) = (&from.file, &to.file);
            if from.ino != to.ino {
                from.store_and_commit(self).await?;
            }
            let _turn = to.turn().await;
            to.store_and_commit(self).await?;
            let outcome = self
                .meta
                .copy_file_range(
                    &self.context(caller),
                    from.ino,
                    source.1,
                    to.ino,
                    target.1,
                    length,
                )
                .await
                .map_err(|error| to.stale_when_gone(error))?;
            if outcome.copied > 0 {
                to.content_mut().rewritten(outcome.attr);
            }
            Ok(outcome.copied)
        })
        .await
    }
}
