//! Where something was before it was removed.

use std::collections::HashMap;

use moorage_model::{Ino, NodeType, Result};

use super::EntryName;
use super::hour_index::HourIndex;
use crate::admin::readable;
use crate::{Key, MAX_PATH_DEPTH, Meta, TxnExt as _};

/// What became of the folder that something was removed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldFolder {
    /// It is where it was, or was moved to.
    There,
    /// It lies in the trash itself.
    Removed,
    /// It is gone for good, or no name tells which it was.
    Gone,
}

/// A folder as it was before it was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) state: OldFolder,
    /// Without a slash at its end; `None` when that is not known.
    pub(super) path: Option<Vec<u8>>,
}

impl Place {
    const GONE: Place = Place {
        state: OldFolder::Gone,
        path: None,
    };
    const TOO_DEEP: Place = Place {
        state: OldFolder::There,
        path: None,
    };
}

/// One step from a folder to the one above it.
struct Step {
    above: Ino,
    name: Vec<u8>,
    removed: bool,
}

/// Finds old places, each folder once.
pub(super) struct Origins<'m> {
    meta: &'m Meta,
    indexes: HashMap<Ino, HourIndex>,
    known: HashMap<Ino, Place>,
}

impl<'m> Origins<'m> {
    /// Begins with the index of an hour; those of others are read when they are needed.
    pub(super) fn new(meta: &'m Meta, index: HourIndex) -> Origins<'m> {
        Origins {
            meta,
            indexes: HashMap::from([(index.hour, index)]),
            known: HashMap::new(),
        }
    }

    /// The index of an hour.
    pub(super) async fn index(&mut self, hour: Ino) -> Result<&HourIndex> {
        let index = match self.indexes.remove(&hour) {
            Some(known) => known,
            None => self.meta.index_hour(hour).await?,
        };
        Ok(self.indexes.entry(hour).or_insert(index))
    }

    /// Where a folder is or was. Reads the folders above it as far as they are not known, to find their names.
    pub(super) async fn place_of(&mut self, folder: Ino) -> Result<Place> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut trail: Vec<Ino> = Vec::new();
        let mut removed = Vec::new();
        let mut current = folder;
        let mut place = loop {
            if current == Ino::ROOT {
                break Place {
                    state: OldFolder::There,
                    path: Some(Vec::new()),
                };
            }
            if let Some(known) = self.known.get(&current) {
                break known.clone();
            }
            if names.len() > MAX_PATH_DEPTH {
                break Place::TOO_DEEP;
            }
            let Some(step) = self.step_up(current).await? else {
                break Place::GONE;
            };
            trail.push(current);
            names.push(step.name);
            removed.push(step.removed);
            current = step.above;
        };
        for ((ino, name), removed) in trail.into_iter().zip(names).zip(removed).rev() {
            place = below(place, &name, removed);
            self.known.insert(ino, place.clone());
        }
        Ok(place)
    }

    /// `None` where nothing leads on.
    async fn step_up(&mut self, folder: Ino) -> Result<Option<Step>> {
        if folder.is_trash() {
            return Ok(None);
        }
        let node = self.meta.engine.get(&[Key::Node(folder)]).await;
        let node = readable(node.and_then(|mut found| found.node()))?.flatten();
        let Some(attr) = node.filter(|attr| attr.kind == NodeType::Directory) else {
            return Ok(None);
        };
        if attr.parent.is_trash() {
            let found = self.index(attr.parent).await?.directory(folder);
            return Ok(found.map(|directory| Step {
                above: directory.name.old_parent,
                name: directory.name.old_name.as_bytes().to_vec(),
                removed: true,
            }));
        }
        let names = readable(self.meta.names_of(attr.parent, folder).await)?;
        let name = names.and_then(|names| names.into_iter().next());
        Ok(name.map(|name| Step {
            above: attr.parent,
            name: name.as_bytes().to_vec(),
            removed: false,
        }))
    }

    /// Where an entry was, its own name at the end.
    pub(super) async fn place_of_entry(&mut self, name: &EntryName) -> Result<Place> {
        let folder = self.place_of(name.old_parent).await?;
        Ok(below(folder, name.old_name.as_bytes(), false))
    }
}

/// A place inside another. What is below something gone or removed is so too.
fn below(above: Place, name: &[u8], removed: bool) -> Place {
    let path = above.path.map(|mut path| {
        path.push(b'/');
        path.extend_from_slice(name);
        path
    });
    let state = if removed && above.state == OldFolder::There {
        OldFolder::Removed
    } else {
        above.state
    };
    Place { state, path }
}
