//! lookup.

use moorage_model::{Attr, ErrorKind, Ino, Name, Result};

use super::create::missing_node;
use crate::{Context, MAY_EXECUTE, Meta};

impl Meta {
    /// The node that `name` leads to in a directory; `.` is the directory and `..` the one above it.
    ///
    /// One engine read when the kernel checks permissions, else one more for the directory. Nothing written.
    ///
    /// # Errors
    /// `NotFound`; with checking callers `NotDirectory` and `AccessDenied`; `Corrupt` for an entry without a node.
    pub async fn lookup(&self, context: &Context, parent: Ino, name: &Name) -> Result<(Ino, Attr)> {
        if name.is_dots() {
            return self.lookup_dots(context, parent, name).await;
        }
        if context.check_permission {
            self.searchable(context, parent).await?;
        }
        // An entry may go between the reads of an engine that can not join them, so a miss is asked for again.
        for _ in 0..2 {
            match self.engine.lookup(parent, name).await? {
                None => return Err(ErrorKind::NotFound.into()),
                Some((entry, Some(attr))) => return Ok((entry.ino, attr)),
                Some((_, None)) => {}
            }
        }
        match self.engine.lookup(parent, name).await? {
            Some((entry, None)) => Err(missing_node(parent, name, entry.ino)),
            Some((entry, Some(attr))) => Ok((entry.ino, attr)),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    async fn lookup_dots(&self, context: &Context, directory: Ino, name: &Name) -> Result<(Ino, Attr)> {
        let attr = self.searchable(context, directory).await?;
        if name.as_bytes() == b"." || directory == Ino::ROOT || directory == Ino::TRASH {
            return Ok((directory, attr));
        }
        let parent = attr.parent;
        Ok((parent, self.getattr(parent).await?))
    }

    /// The directory's attributes when the caller may look names up in it.
    async fn searchable(&self, context: &Context, directory: Ino) -> Result<Attr> {
        let attr = self.getattr(directory).await?;
        if !attr.is_directory() {
            return Err(ErrorKind::NotDirectory.into());
        }
        self.check_access(context, &attr, MAY_EXECUTE).await?;
        Ok(attr)
    }
}
