//! readdir.

use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::{Context, DirectoryEntry, MAY_EXECUTE, MAY_READ, Meta};

impl Meta {
    /// One page of a directory in the order of name bytes: at most `limit` entries with a name above `after`, without
    /// `.` and `..`. Entries that other clients add or remove between pages never disturb the others. Fewer entries
    /// than `limit` mean the end. With `attributes` every entry carries those of its node, `None` when it is missing.
    ///
    /// One engine read; one more on an empty first page, and for callers whose permissions are checked here.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `AccessDenied`.
    pub async fn read_directory(
        &self,
        context: &Context,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        if context.check_permission {
            let attr = self.getattr(directory).await?;
            let wanted = if attributes {
                MAY_READ | MAY_EXECUTE
            } else {
                MAY_READ
            };
            self.check_access(context, &attr, wanted).await?;
        }
        let page = self
            .engine
            .read_directory(directory, after, limit, attributes)
            .await?;
        if page.is_empty() && after.is_none() && !self.getattr(directory).await?.is_directory() {
            return Err(ErrorKind::NotDirectory.into());
        }
        Ok(page)
    }
}
