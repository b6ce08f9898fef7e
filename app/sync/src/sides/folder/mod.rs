//! A folder of this computer, which may lie in a mounted volume.

mod listing;
mod os;
mod place;
mod read;
mod write;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_model::{Error, ErrorKind, Result, Timestamp};

use super::MissingRoot;
use crate::disk::{blocking, failed};
use crate::{
    Abilities, Entry, Links, ListOptions, Listing, Permissions, RelativePath, Replaces, Side, Sink, Source,
    Tag, Version,
};
use os::{ABILITIES, OpenFolder, is_missing, is_no_folder};
use place::Root;

/// A folder of this computer as a side.
///
/// Every name is reached from the root step by step, and no step follows a symbolic link, so that a link inside the tree
/// leads nowhere, whoever puts it there and when. Files are written beside their place and renamed.
#[derive(Debug)]
pub struct FolderSide {
    root: Arc<Root>,
    tag: Tag,
}

impl FolderSide {
    /// Opens the folder. `tag` marks temporary files.
    ///
    /// # Errors
    /// `NotFound` and `NotDirectory`, naming it; what making it answers.
    pub fn open(path: &Path, missing: MissingRoot, tag: Tag) -> Result<FolderSide> {
        if missing == MissingRoot::Make {
            std::fs::create_dir_all(path)
                .map_err(|error| failed(format!("making the folder {}", path.display()), error))?;
        }
        let folder = match OpenFolder::open(path) {
            Err(error) if is_missing(&error) && missing == MissingRoot::TakeAsEmpty => None,
            Err(error) => {
                return Err(failed(format!("opening the folder {}", path.display()), error));
            }
            Ok(folder) => Some(folder),
        };
        Ok(FolderSide {
            root: Arc::new(Root::new(folder, path.to_owned())),
            tag,
        })
    }

    /// The folder, as it was given.
    pub fn path(&self) -> &Path {
        self.root.shown()
    }

    /// Runs `work` on the root and a path; a failure says what was being done to which path.
    async fn at<T: Send + 'static>(
        &self,
        doing: &'static str,
        path: &RelativePath,
        work: impl FnOnce(&Root, &RelativePath) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (root, path) = (Arc::clone(&self.root), path.clone());
        blocking(move || {
            work(&root, &path)
                .map_err(|error| failed(format!("{doing} {}", root.full(&path).display()), error))
        })
        .await
    }
}

/// Device and number of the folder that is at a path, over links; none where there is none, or it does not open.
pub(crate) fn folder_identity(path: &Path) -> Option<(u64, u64)> {
    let node = OpenFolder::open(path).ok()?.node().ok()?;
    Some(node.identity)
}

/// Whether two states are those of the same content in the same node; a rename changes the time of attributes.
fn same_content(one: &Version, other: &Version) -> bool {
    (one.size, one.modified, one.node) == (other.size, other.modified, other.node)
}

fn conflict(what: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{} {why}", what.display()))
        .with_advice("Run the command again; it is left as it is.")
}

#[async_trait]
impl Side for FolderSide {
    fn describe(&self) -> String {
        format!("folder {}", self.root.shown().display())
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        Box::new(listing::FolderListing::new(Arc::clone(&self.root), options))
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        self.at("looking at", path, |root, path| match root.look(path) {
            Ok(node) => Ok(Some(node.entry(path.clone()))),
            Err(error) if is_missing(&error) || is_no_folder(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn read(&self, entry: &Entry, links: Links) -> Result<Box<dyn Source>> {
        let source = self
            .at("reading", &entry.path, move |root, path| {
                read::FolderSource::open(root, path, links)
            })
            .await?;
        Ok(Box::new(source))
    }

    async fn write(&self, path: &RelativePath, _size: u64) -> Result<Box<dyn Sink>> {
        let (root, tag) = (Arc::clone(&self.root), self.tag.clone());
        let sink = self
            .at("writing", path, move |_, path| {
                write::FolderSink::create(root, path, &tag)
            })
            .await?;
        Ok(Box::new(sink))
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        self.at("reading the link", path, |root, path| {
            let (parent, name) = root.parent(path)?;
            parent.link_target(&name)
        })
        .await
    }

    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry> {
        let (target, tag) = (target.to_vec(), self.tag.clone());
        let (root, path) = (Arc::clone(&self.root), path.clone());
        blocking(move || write::make_link(&root, &path, &target, replaces, &tag)).await
    }

    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        self.at("making the folder", path, |root, path| {
            root.make_folder(path)?;
            Ok(())
        })
        .await
    }

    async fn remove(&self, entry: &Entry) -> Result<()> {
        let (root, tag, entry) = (Arc::clone(&self.root), self.tag.clone(), entry.clone());
        blocking(move || write::remove(&root, &entry, &tag)).await
    }

    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        let to = to.clone();
        self.at("renaming", from, move |root, from| {
            let (parent, name) = root.parent(from)?;
            let (new_parent, new_name) = root.parent(&to)?;
            parent.rename_to_free(&name, &new_parent, &new_name)
        })
        .await
    }

    async fn set_attributes(
        &self,
        path: &RelativePath,
        permissions: Option<Permissions>,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        self.at("setting attributes of", path, move |root, path| {
            let (parent, name) = root.parent(path)?;
            if let Some(permissions) = permissions {
                parent.set_permissions(&name, permissions)?;
            }
            if let Some(modified) = modified {
                parent.set_modified(&name, modified)?;
            }
            Ok(())
        })
        .await
    }

    async fn settle(&self) -> Result<()> {
        self.at("syncing", &RelativePath::root(), |root, _| root.sync())
            .await
    }
}
