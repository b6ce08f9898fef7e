//! Listing a folder tree in the byte order of its keys.

use std::fs;
use std::io;
use std::path::Path;

use super::path::is_temporary;
use crate::store::ObjectInfo;

/// A directory entry; folders end with `/`, which is how their keys sort.
struct Entry {
    name: String,
    folder: bool,
}

/// State of one listing.
pub(super) struct Walk<'a> {
    pub(super) prefix: &'a str,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
    pub(super) found: Vec<(String, ObjectInfo)>,
}

impl Walk<'_> {
    /// Lists below `folder`, whose key is `key` (empty or ending with `/`).
    pub(super) fn descend(&mut self, folder: &Path, key: &str) -> io::Result<()> {
        for entry in sorted(folder)? {
            let child = format!("{key}{}", entry.name);
            if self.found.len() >= self.limit {
                return Ok(());
            }
            if entry.folder {
                let overlaps = child.starts_with(self.prefix) || self.prefix.starts_with(&child);
                // Everything below sorts behind `child`; the last of it can not be known, so compare as a prefix.
                let past = self
                    .after
                    .is_some_and(|after| child.as_str() < after && !after.starts_with(&child));
                if overlaps && !past {
                    self.descend(&folder.join(entry.name.trim_end_matches('/')), &child)?;
                }
            } else if child.starts_with(self.prefix) && self.after.is_none_or(|after| child.as_str() > after)
            {
                match fs::symlink_metadata(folder.join(&entry.name)) {
                    Ok(data) => {
                        let info = ObjectInfo {
                            size: data.len(),
                            modified: data.modified().ok(),
                        };
                        self.found.push((child, info));
                    }
                    // Deleted since the folder was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Entries in key order; names that are not UTF-8, temporary files and links are nobody's objects: a link leads to what is
/// not of this store, or in a circle.
fn sorted(folder: &Path) -> io::Result<Vec<Entry>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(mut name) = entry.file_name().into_string() else {
            continue;
        };
        if is_temporary(&name) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            continue;
        }
        let folder = kind.is_dir();
        if folder {
            name.push('/');
        }
        out.push(Entry { name, folder });
    }
    out.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}
