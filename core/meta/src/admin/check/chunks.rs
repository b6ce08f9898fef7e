//! Slice lists without a file.

use moorage_model::Result;

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::ReclaimMode;

impl Namespace<'_> {
    /// Reports the slice lists of files that do not exist, all together.
    pub(super) async fn check_chunks(&mut self) -> Result<()> {
        let found = self
            .meta
            .reclaim_orphaned_chunks(ReclaimMode::DryRun, self.progress)
            .await?;
        if found.count > 0 {
            self.add(
                Defect::OrphanedChunk,
                Severity::Warning,
                format!(
                    "chunks of files that do not exist: {}, with {} bytes in the object store",
                    found.count, found.bytes
                ),
                "`moorage gc --delete` removes them.",
                None,
            );
        }
        Ok(())
    }
}
