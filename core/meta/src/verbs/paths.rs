//! Paths of a node, for people.

use moorage_model::{Ino, Name, Result};

use crate::{Key, Meta, TxnExt as _};

/// Entries read per page when a name is searched for.
const ENTRY_PAGE: usize = 4096;
/// Paths that are built for one node.
const MAX_PATHS: usize = 1000;
/// Directories above each other that a path is built of: twice as many as the kernel's longest path, 4096 bytes, can
/// name. Renames and relative paths nest deeper.
pub const MAX_PATH_DEPTH: usize = 4096;

/// The paths of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paths {
    /// Those that were built, at most 1000.
    pub(crate) built: Vec<Vec<u8>>,
    /// How many others lead through more than [`MAX_PATH_DEPTH`] directories, or through directories that contain
    /// each other.
    pub(crate) too_deep: usize,
}

/// The path of a directory.
enum DirectoryPath {
    /// Without a trailing slash.
    Found(Vec<u8>),
    /// It hangs below nothing.
    Detached,
    TooDeep,
}

impl Meta {
    /// All paths that lead to a node, with a leading `/`; those of a node in the trash begin with `/.trash`. One for
    /// each hard link, at most 1000; those through more than [`MAX_PATH_DEPTH`] directories are left out. Reads whole
    /// directories to find names, so it is for commands, not for verbs.
    ///
    /// # Errors
    /// `NotFound`; what the engine answers.
    pub async fn paths(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        Ok(self.build_paths(ino).await?.built)
    }

    /// As [`Meta::paths`], with what was left out.
    pub(crate) async fn build_paths(&self, ino: Ino) -> Result<Paths> {
        let attr = self.getattr(ino).await?;
        let mut paths = Paths::default();
        if ino == Ino::ROOT {
            paths.built.push(b"/".to_vec());
            return Ok(paths);
        }
        if ino == Ino::TRASH {
            paths.built.push(b"/.trash".to_vec());
            return Ok(paths);
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
        for parent in parents {
            let base = match self.directory_path(parent).await? {
                DirectoryPath::Found(base) => base,
                DirectoryPath::Detached => continue,
                DirectoryPath::TooDeep => {
                    paths.too_deep += self.names_of(parent, ino).await?.len();
                    continue;
                }
            };
            for name in self.names_of(parent, ino).await? {
                let mut path = base.clone();
                path.push(b'/');
                path.extend_from_slice(name.as_bytes());
                paths.built.push(path);
                if paths.built.len() >= MAX_PATHS {
                    return Ok(paths);
                }
            }
        }
        Ok(paths)
    }

    async fn directory_path(&self, directory: Ino) -> Result<DirectoryPath> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut current = directory;
        while current != Ino::ROOT {
            if current == Ino::TRASH {
                names.push(b".trash".to_vec());
                break;
            }
            let Some(attr) = self.engine.get(&[Key::Node(current)]).await?.node()? else {
                return Ok(DirectoryPath::Detached);
            };
            let Some(name) = self.names_of(attr.parent, current).await?.into_iter().next() else {
                return Ok(DirectoryPath::Detached);
            };
            names.push(name.as_bytes().to_vec());
            if names.len() > MAX_PATH_DEPTH {
                return Ok(DirectoryPath::TooDeep);
            }
            current = attr.parent;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        Ok(DirectoryPath::Found(path))
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
