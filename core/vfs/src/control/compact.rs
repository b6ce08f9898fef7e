//! Command 1008: join the pieces of files.

use moorage_meta::admin::Progress;
use moorage_meta::{Context, MAY_READ};
use moorage_model::{Ino, Result};

use super::codec::Answer;
use crate::Vfs;

impl Vfs {
    /// Compacts a file, or all files below a folder. Content, times and permissions stay as they are, so whoever may
    /// read may compact.
    ///
    /// # Errors
    /// As [`moorage_meta::Meta::compact_tree`]; what storing written content answers.
    pub(super) async fn compact_by_command(
        &self,
        identity: &Context,
        ino: Ino,
        threads: usize,
        progress: &Progress,
    ) -> Result<Answer> {
        self.check_writable()?;
        let (ino, attr) = self.reachable(identity, ino).await?;
        self.meta.check_access(identity, &attr, MAY_READ).await?;
        self.store_written().await?;
        self.meta.compact_tree(ino, threads, progress).await?;
        Ok(Answer::Status(0))
    }
}
