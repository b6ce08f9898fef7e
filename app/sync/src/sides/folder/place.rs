//! Reaching names below the root without following a symbolic link.

use std::io::{self, Result};
use std::path::{Path, PathBuf};

use super::os::{Last, Node, OpenFolder, is_missing, is_taken, joined};
use crate::RelativePath;

/// The open root of a folder side.
#[derive(Debug)]
pub(super) struct Root {
    /// None for one that is taken as empty.
    folder: Option<OpenFolder>,
    shown: PathBuf,
}

impl Root {
    pub(super) fn new(folder: Option<OpenFolder>, shown: PathBuf) -> Root {
        Root { folder, shown }
    }

    fn itself(&self) -> Result<&OpenFolder> {
        self.folder.as_ref().ok_or(io::ErrorKind::NotFound.into())
    }

    /// Whether it does not exist, and is taken as empty.
    pub(super) fn is_missing(&self) -> bool {
        self.folder.is_none()
    }

    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    /// A path as a person finds it; for messages only.
    pub(super) fn full(&self, path: &RelativePath) -> PathBuf {
        if path.is_root() {
            self.shown.clone()
        } else {
            joined(&self.shown, path)
        }
    }

    /// Opens a folder, one call for each name.
    ///
    /// # Errors
    /// Such that [`super::os::is_no_folder`] where a step is none.
    pub(super) fn folder(&self, path: &RelativePath) -> Result<OpenFolder> {
        let mut at = self.itself()?.again()?;
        for name in path.names() {
            at = at.step(name)?;
        }
        Ok(at)
    }

    /// Opens a folder whose path may lead over symbolic links.
    pub(super) fn folder_over_links(&self, path: &RelativePath) -> Result<OpenFolder> {
        if path.is_root() {
            return self.folder(path);
        }
        self.itself()?.folder_over_links(path)
    }

    /// Opens a file whose path may lead over symbolic links.
    pub(super) fn file_over_links(&self, path: &RelativePath) -> Result<std::fs::File> {
        self.itself()?.file_over_links(path)
    }

    /// The folder of a path, and the name in it.
    ///
    /// # Errors
    /// `InvalidInput` for the root.
    pub(super) fn parent(&self, path: &RelativePath) -> Result<(OpenFolder, Vec<u8>)> {
        let (folder, name) = path.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.folder(&folder)?, name.to_vec()))
    }

    /// As [`Root::parent`], making folders that are missing.
    pub(super) fn made_parent(&self, path: &RelativePath) -> Result<(OpenFolder, Vec<u8>)> {
        let (folder, name) = path.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = match self.folder(&folder) {
            Err(error) if is_missing(&error) => self.make_folder(&folder)?,
            other => other?,
        };
        Ok((parent, name.to_vec()))
    }

    /// Makes a folder and those above it, where they are missing.
    pub(super) fn make_folder(&self, path: &RelativePath) -> Result<OpenFolder> {
        let mut at = self.itself()?.again()?;
        for name in path.names() {
            at = match at.step(name) {
                Err(error) if is_missing(&error) => {
                    match at.make_folder(name) {
                        // Another transfer was quicker.
                        Err(error) if is_taken(&error) => {}
                        other => other?,
                    }
                    at.step(name)?
                }
                other => other?,
            };
        }
        Ok(at)
    }

    /// The state of a path, of a link itself.
    pub(super) fn look(&self, path: &RelativePath) -> Result<Node> {
        if path.is_root() {
            return self.itself()?.node();
        }
        let (parent, name) = self.parent(path)?;
        parent.look(&name, Last::Itself)
    }

    /// Has the file system store all that was written.
    pub(super) fn sync(&self) -> Result<()> {
        self.itself()?.sync()
    }
}
