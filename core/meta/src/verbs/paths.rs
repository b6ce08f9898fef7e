//! Paths of a node, for people.

use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::{Key, Meta, TxnExt as _};

/// Entries read per page when a name is searched for.
const ENTRY_PAGE: usize = 4096;
/// Paths that are built for one node.
const MAX_PATHS: usize = 1000;
/// Directories above each other that are followed.
const MAX_DEPTH: usize = 4096;

impl Meta {
    /// All paths that lead to a node, with a leading `/`; those of a node in the trash begin with `/.trash`. One for
    /// each hard link, at most 1000. Reads whole directories to find names, so it is for commands, not for verbs.
    ///
    /// # Errors
    /// `NotFound`; what the engine answers.
    pub async fn paths(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        let attr = self.getattr(ino).await?;
        if ino == Ino::ROOT {
            return Ok(vec![b"/".to_vec()]);
        }
        if ino == Ino::TRASH {
            return Ok(vec![b"/.trash".to_vec()]);
        }
        let parents = match attr.parent {
            Ino::NONE => self
                .engine
                .parents(ino)
                .await?
                .into_iter()
                .map(|(parent, _)| parent)
                .collect(),
            parent => vec![parent],
        };
        let mut paths = Vec::new();
        for parent in parents {
            let Some(base) = self.directory_path(parent).await? else {
                continue;
            };
            for name in self.names_of(parent, ino).await? {
                let mut path = base.clone();
                path.push(b'/');
                path.extend_from_slice(name.as_bytes());
                paths.push(path);
                if paths.len() >= MAX_PATHS {
                    return Ok(paths);
                }
            }
        }
        Ok(paths)
    }

    /// Path of a directory without a trailing slash; `None` when it hangs below nothing.
    async fn directory_path(&self, directory: Ino) -> Result<Option<Vec<u8>>> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut current = directory;
        while current != Ino::ROOT {
            if current == Ino::TRASH {
                names.push(b".trash".to_vec());
                break;
            }
            let Some(attr) = self.engine.get(&[Key::Node(current)]).await?.node()? else {
                return Ok(None);
            };
            let Some(name) = self.names_of(attr.parent, current).await?.into_iter().next() else {
                return Ok(None);
            };
            names.push(name.as_bytes().to_vec());
            if names.len() > MAX_DEPTH {
                return Err(ErrorKind::NameTooLong.into());
            }
            current = attr.parent;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        Ok(Some(path))
    }

    /// Names that a directory has for a node.
    pub(crate) async fn names_of(&self, directory: Ino, ino: Ino) -> Result<Vec<Name>> {
        let mut names = Vec::new();
        let mut after: Option<Name> = None;
        loop {
            let page = self
                .engine
                .read_directory(directory, after.as_ref(), ENTRY_PAGE, false)
                .await?;
            let full = page.len() == ENTRY_PAGE;
            after = page.last().map(|item| item.name.clone());
            names.extend(
                page.into_iter()
                    .filter(|item| item.entry.ino == ino)
                    .map(|item| item.name),
            );
            if !full {
                return Ok(names);
            }
        }
    }
}
