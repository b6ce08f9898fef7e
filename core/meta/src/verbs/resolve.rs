//! Path resolution from the root.

use moorage_model::{Attr, Error, ErrorKind, Ino, Name, Result};

use super::TRASH_ENTRY;
use crate::{Context, Meta};

impl Meta {
    /// The node that a path leads to from the root. Empty components are skipped, `.` and `..` are followed, symlinks
    /// are not: one in the middle of a path is no directory. `.trash` in the root is the trash, which has no entry there.
    ///
    /// One engine read per component.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `AccessDenied`, `NameTooLong`, each naming the path.
    pub async fn resolve(&self, context: &Context, path: &[u8]) -> Result<(Ino, Attr)> {
        let mut found = (Ino::ROOT, self.getattr(Ino::ROOT).await?);
        for component in path
            .split(|byte| *byte == b'/')
            .filter(|component| !component.is_empty())
        {
            let step = async {
                if !found.1.is_directory() {
                    return Err(Error::from(ErrorKind::NotDirectory));
                }
                if found.0 == Ino::ROOT && component == TRASH_ENTRY {
                    return Ok((Ino::TRASH, self.getattr(Ino::TRASH).await?));
                }
                self.lookup(context, found.0, &Name::new(component)?).await
            };
            found = step
                .await
                .map_err(|error| error.context(String::from_utf8_lossy(path)))?;
        }
        Ok(found)
    }
}
