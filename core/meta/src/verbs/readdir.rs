//! readdir.

use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::admin::read_one_by_one;
use crate::{Context, DirectoryEntry, MAY_EXECUTE, MAY_READ, Meta};

impl Meta {
    /// One page of a directory in the order of name bytes: at most `limit` entries with a name above `after`, without
    /// `.` and `..`. Entries that other clients add or remove between pages never disturb the others. Fewer entries
    /// than `limit` mean the end. With `attributes` every entry carries those of its node, `None` when it is missing.
    /// An entry that can not be read is left out and logged as an error.
    ///
    /// One engine read; one more on an empty first page, and for callers whose permissions are checked here; one for
    /// each entry of a page with one that can not be read.
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
            .await;
        let page = match page {
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.read_past_damage(directory, after, limit, attributes).await?
            }
            page => page?,
        };
        if page.is_empty() && after.is_none() && !self.getattr(directory).await?.is_directory() {
            return Err(ErrorKind::NotDirectory.into());
        }
        Ok(page)
    }

    async fn read_past_damage(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let mut items = Vec::new();
        let mut after = after.cloned();
        loop {
            let room = limit - items.len();
            let page =
                read_one_by_one(self.engine.as_ref(), directory, after.as_ref(), room, attributes).await?;
            for damaged in &page.damaged {
                tracing::error!(
                    "{}: left out of the listing of directory {directory}",
                    damaged.error
                );
            }
            items.extend(page.items);
            after = page.next;
            if items.len() >= limit || after.is_none() {
                // A page may be longer than asked for, since it ends with an entry that can be read.
                items.truncate(limit);
                return Ok(items);
            }
        }
    }
}
