//! The folder of a store, which is made once and must not be made again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::{self, FolderIdentity};

/// Where the objects are.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    /// The folder as it was when it was first seen.
    seen: OnceLock<FolderIdentity>,
}

impl Place {
    pub(super) fn new(root: PathBuf) -> Place {
        let place = Place {
            root,
            seen: OnceLock::new(),
        };
        // A folder that is not there yet is made with the first object.
        if let Ok(identity) = platform::identity(&place.root) {
            place.seen.get_or_init(|| identity);
        }
        place
    }

    /// Makes a folder below the root, and the root itself when there has been none. Where the root was and is no more, or
    /// where an empty folder of another disk stands in its place, nothing is made: objects would go to whatever disk is
    /// below, and be hidden when the right one is back.
    pub(super) fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if let Some(seen) = self.seen.get() {
            let now = platform::identity(&self.root).ok();
            if now.as_ref() != Some(seen) && is_empty(&self.root) {
                return Err(io::Error::other(format!(
                    "the folder {} was there and is gone; mount its disk again",
                    self.root.display()
                )));
            }
        }
        fs::create_dir_all(folder)?;
        if self.seen.get().is_none()
            && let Ok(identity) = platform::identity(&self.root)
        {
            self.seen.get_or_init(|| identity);
        }
        Ok(())
    }
}

/// Whether a folder has no entries, or is none.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
