//! Listing a tree of folders in order.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_model::{Error, ErrorKind, Result};

use super::os::{Last, OpenFolder, is_circle, is_missing};
use super::place::Root;
use crate::disk::{blocking, failed};
use crate::sides::sorted_page::{SortedPage, key_of, name_of};
use crate::sides::temporary::is_temporary;
use crate::{Kind, Links, ListOptions, Listed, Listing, RelativePath};

/// Entries looked at in one visit of the disk.
const BATCH: usize = 256;

/// The listing, whose state travels to the thread that reads the disk and back.
pub(super) struct FolderListing {
    walk: Option<Walk>,
    ready: VecDeque<Listed>,
}

struct Walk {
    root: Arc<Root>,
    options: ListOptions,
    folders: Vec<Folder>,
}

/// A folder that is being listed.
struct Folder {
    path: RelativePath,
    page: SortedPage<()>,
    /// Open while its own entries are looked at, not while those of a folder inside it are.
    open: Option<OpenFolder>,
    /// Device and number: what tells that a link leads back up.
    node: Option<(u64, u64)>,
}

impl Folder {
    fn new(path: RelativePath) -> Folder {
        Folder {
            path,
            page: SortedPage::before_first(),
            open: None,
            node: None,
        }
    }
}

impl FolderListing {
    pub(super) fn new(root: Arc<Root>, options: ListOptions) -> FolderListing {
        FolderListing {
            walk: Some(Walk {
                root,
                options,
                folders: vec![Folder::new(RelativePath::root())],
            }),
            ready: VecDeque::new(),
        }
    }
}

#[async_trait]
impl Listing for FolderListing {
    async fn next(&mut self) -> Result<Option<Listed>> {
        if self.ready.is_empty()
            && let Some(mut walk) = self.walk.take()
        {
            let mut ready = std::mem::take(&mut self.ready);
            let (walk, ready) = blocking(move || {
                walk.fill(&mut ready)?;
                Ok((walk, ready))
            })
            .await?;
            self.ready = ready;
            self.walk = (!walk.folders.is_empty()).then_some(walk);
        }
        Ok(self.ready.pop_front())
    }
}

impl Walk {
    fn fill(&mut self, ready: &mut VecDeque<Listed>) -> Result<()> {
        while ready.len() < BATCH {
            let Some(folder) = self.folders.last_mut() else {
                return Ok(());
            };
            if folder.open.is_none() {
                match open(&self.root, &self.options, &mut self.folders) {
                    Ok(true) => {}
                    Ok(false) => {
                        self.folders.pop();
                    }
                    Err(unopened) => self.give_up(unopened, ready)?,
                }
                continue;
            }
            let Some((key, ())) = folder.page.pop() else {
                if !folder.page.has_more() {
                    self.folders.pop();
                } else if let Err(error) = read_page(folder, self.options.links) {
                    self.give_up(Unopened::Failed(error), ready)?;
                }
                continue;
            };
            self.look(&key, ready);
        }
        Ok(())
    }

    /// The folder at hand can not be read: without the root there is nothing at all.
    fn give_up(&mut self, unopened: Unopened, ready: &mut VecDeque<Listed>) -> Result<()> {
        let Some(folder) = self.folders.pop() else {
            return Ok(());
        };
        let shown = self.root.full(&folder.path);
        let error = match unopened {
            Unopened::Circle => Error::new(
                ErrorKind::InvalidArgument,
                format!("{} leads back to a folder that it is in", shown.display()),
            )
            .with_advice("Copy links as links with --links, or exclude this one."),
            Unopened::Failed(error) => failed(format!("listing {}", shown.display()), error),
        };
        if folder.path.is_root() {
            return Err(error);
        }
        ready.push_back(Listed::Unreadable {
            at: folder.path,
            whole: true,
            error,
        });
        Ok(())
    }

    fn look(&mut self, key: &[u8], ready: &mut VecDeque<Listed>) {
        let Some((folder, open)) = self.folders.last().and_then(|f| Some((f, f.open.as_ref()?))) else {
            return;
        };
        let (name, is_folder) = name_of(key);
        let path = match folder.path.join(name) {
            Ok(path) => path,
            Err(error) => {
                let at = folder.path.clone();
                ready.push_back(Listed::Unreadable {
                    at,
                    whole: false,
                    error,
                });
                return;
            }
        };
        let leftover = is_temporary(name);
        if !leftover && !self.options.filter.admits_name(&path, is_folder) {
            return;
        }
        let node = match open.look(name, last(self.options.links)) {
            Ok(node) => node,
            // Removed since the folder was read.
            Err(error) if is_missing(&error) && !is_dangling(open, name) => return,
            Err(error) => {
                let error = failed(format!("looking at {}", self.root.full(&path).display()), error);
                ready.push_back(Listed::Unreadable {
                    at: path,
                    whole: true,
                    error,
                });
                return;
            }
        };
        let entry = node.entry(path.clone());
        if entry.is_folder() != is_folder {
            let error = Error::new(
                ErrorKind::Conflict,
                format!(
                    "{} became another kind while it was listed",
                    self.root.full(&path).display()
                ),
            );
            ready.push_back(Listed::Unreadable {
                at: path,
                whole: true,
                error,
            });
        } else if leftover && !is_folder {
            ready.push_back(Listed::Leftover(entry));
        } else {
            ready.push_back(Listed::Entry(entry));
            if is_folder {
                if let Some(above) = self.folders.last_mut() {
                    above.open = None;
                }
                self.folders.push(Folder::new(path));
            }
        }
    }
}

/// Why a folder can not be listed.
enum Unopened {
    /// It is one of those that it is in.
    Circle,
    /// What the system says.
    Failed(io::Error),
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Unopened {
        if is_circle(&error) {
            Unopened::Circle
        } else {
            Unopened::Failed(error)
        }
    }
}

/// Opens the last folder; `false` when it is gone.
fn open(root: &Root, options: &ListOptions, folders: &mut [Folder]) -> std::result::Result<bool, Unopened> {
    let Some((folder, above)) = folders.split_last_mut() else {
        return Ok(false);
    };
    let opened = match options.links {
        Links::Keep => root.folder(&folder.path),
        Links::Follow => root.folder_over_links(&folder.path),
    };
    let opened = match opened {
        Err(error) if is_missing(&error) && (!folder.path.is_root() || root.is_missing()) => {
            return Ok(false);
        }
        other => other?,
    };
    if options.links == Links::Follow {
        let node = opened.node()?.identity;
        if above.iter().any(|folder| folder.node == Some(node)) {
            return Err(Unopened::Circle);
        }
        folder.node = Some(node);
    }
    folder.open = Some(opened);
    Ok(true)
}

/// Reads the whole folder for its next page.
fn read_page(folder: &mut Folder, links: Links) -> io::Result<()> {
    let Some(open) = &folder.open else {
        return Ok(());
    };
    let page = &mut folder.page;
    page.begin();
    open.each_name(|name, kind| {
        let kind = match kind {
            Some(kind) if kind != Kind::Link || links == Links::Keep => Some(kind),
            _ => open.look(name, last(links)).ok().map(|node| node.kind),
        };
        page.offer(key_of(name, kind == Some(Kind::Folder)), ());
    })
}

fn last(links: Links) -> Last {
    match links {
        Links::Keep => Last::Itself,
        Links::Follow => Last::Target,
    }
}

/// Whether a name that leads nowhere is a link.
fn is_dangling(folder: &OpenFolder, name: &[u8]) -> bool {
    folder.look(name, Last::Itself).is_ok()
}
