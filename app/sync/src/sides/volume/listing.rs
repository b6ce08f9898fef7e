//! Listing a tree of a volume in order.

use async_trait::async_trait;
use moorage_model::{Attr, Error, ErrorKind, Ino, NodeType, Result};

use super::{VolumeSide, entry_of};
use crate::sides::MissingRoot;
use crate::sides::sorted_page::{SortedPage, key_of, name_of};
use crate::sides::temporary::is_temporary;
use crate::{Kind, Links, ListOptions, Listed, Listing, RelativePath, Side as _};

pub(super) struct VolumeListing {
    side: VolumeSide,
    options: ListOptions,
    folders: Vec<Folder>,
    begun: bool,
}

/// A folder that is being listed.
struct Folder {
    path: RelativePath,
    ino: Ino,
    page: SortedPage<(Ino, Option<Attr>)>,
}

impl VolumeListing {
    pub(super) fn new(side: VolumeSide, options: ListOptions) -> VolumeListing {
        VolumeListing {
            side,
            options,
            folders: Vec::new(),
            begun: false,
        }
    }

    fn enter(&mut self, path: RelativePath, ino: Ino) {
        self.folders.push(Folder {
            path,
            ino,
            page: SortedPage::before_first(),
        });
    }

    /// Reads the whole folder at hand for its next page.
    async fn read_page(&mut self) -> Result<()> {
        let Some(folder) = self.folders.last_mut() else {
            return Ok(());
        };
        let (vfs, caller) = (&self.side.vfs, &self.side.caller);
        let handle = vfs.opendir(caller, folder.ino).await?.handle;
        folder.page.begin();
        let page = &mut folder.page;
        let listed = vfs
            .readdir(handle, 0, true, &mut |item| {
                if !matches!(item.name, b"." | b"..") {
                    let key = key_of(item.name, item.kind == NodeType::Directory);
                    let attr = item.entry.as_ref().map(|entry| entry.attr.clone());
                    page.offer(key, (item.ino, attr));
                }
                true
            })
            .await;
        let closed = vfs.releasedir(handle).await;
        listed.and(closed)
    }

    /// What an entry of the folder at hand is told as; nothing for what is filtered.
    fn listed(&mut self, key: &[u8], ino: Ino, attr: Option<&Attr>) -> Option<Listed> {
        let folder = self.folders.last()?;
        let (name, is_folder) = name_of(key);
        let path = match folder.path.join(name) {
            Ok(path) => path,
            Err(error) => {
                return Some(Listed::Unreadable {
                    at: folder.path.clone(),
                    whole: false,
                    error,
                });
            }
        };
        let Some(attr) = attr else {
            let error = Error::new(ErrorKind::Corrupt, format!("{path} has no attributes"))
                .with_advice("Check the volume with `moorage fsck`.");
            return Some(Listed::Unreadable {
                at: path,
                whole: true,
                error,
            });
        };
        let entry = entry_of(path, ino, attr);
        if is_temporary(name) && !is_folder {
            return Some(Listed::Leftover(entry));
        }
        if !self.options.filter.admits_name(&entry.path, is_folder) {
            return None;
        }
        if entry.kind == Kind::Link && self.options.links == Links::Follow {
            let error = Error::new(
                ErrorKind::NotSupported,
                format!(
                    "{} is a symbolic link, which is not followed inside a volume",
                    entry.path
                ),
            )
            .with_advice("Copy links as links with --links, or copy from the mounted volume.");
            return Some(Listed::Unreadable {
                at: entry.path,
                whole: true,
                error,
            });
        }
        if is_folder {
            self.enter(entry.path.clone(), ino);
        }
        Some(Listed::Entry(entry))
    }
}

#[async_trait]
impl Listing for VolumeListing {
    async fn next(&mut self) -> Result<Option<Listed>> {
        if !self.begun {
            let root = RelativePath::root();
            let found = self.side.folder(&root).await;
            if let Err(error) = &found
                && error.kind() == ErrorKind::NotFound
                && self.side.missing == MissingRoot::TakeAsEmpty
            {
                return Ok(None);
            }
            let ino = found.map_err(|error| error.context(self.side.describe()))?;
            self.enter(root, ino);
            self.begun = true;
        }
        while let Some(folder) = self.folders.last_mut() {
            if let Some((key, (ino, attr))) = folder.page.pop() {
                if let Some(listed) = self.listed(&key, ino, attr.as_ref()) {
                    return Ok(Some(listed));
                }
            } else if !folder.page.has_more() {
                self.folders.pop();
            } else if let Err(error) = self.read_page().await {
                let Some(folder) = self.folders.pop() else {
                    return Ok(None);
                };
                if folder.path.is_root() {
                    return Err(error.context(self.side.describe()));
                }
                if error.kind() == ErrorKind::NotFound {
                    // Removed since the folder above it was read.
                    continue;
                }
                return Ok(Some(Listed::Unreadable {
                    error: self.side.named("listing", &folder.path, error),
                    at: folder.path,
                    whole: true,
                }));
            }
        }
        Ok(None)
    }
}
