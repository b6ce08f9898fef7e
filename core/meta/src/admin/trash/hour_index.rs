//! The folders that were removed in one hour, and what was removed from inside them.

use std::collections::{HashMap, HashSet};

use moorage_model::{Error, ErrorKind, Ino, Name, NodeType, Result};

use super::EntryName;
use crate::admin::Pages;
use crate::{Key, Meta, Record, Scan, TxnExt as _};

/// Whoever asked names the hour.
fn no_such_hour(kind: ErrorKind) -> Error {
    Error::new(kind, "there is no such hour in the trash")
        .with_advice("Hours are named YYYY-MM-DD-HH in UTC; `moorage trash hours` lists them.")
}

/// Whoever asked names the entry.
pub(super) fn no_such_entry(stored: &impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("{stored} is not in this hour of the trash"),
    )
    .with_advice("It may have been restored, or deleted for good; `moorage trash list` shows what is there.")
}

/// A folder that was removed.
#[derive(Clone, Debug)]
pub(super) struct RemovedDirectory {
    /// Its name in the hour.
    pub(super) stored: Name,
    pub(super) name: EntryName,
}

/// What an hour tells of its entries without their attributes.
#[derive(Debug)]
pub(super) struct HourIndex {
    /// The directory of the hour.
    pub(super) hour: Ino,
    directories: HashMap<Ino, RemovedDirectory>,
    /// Removed folders by the folder they were in.
    inside: HashMap<Ino, Vec<Ino>>,
    /// Other entries by the folder they were in.
    others: HashMap<Ino, u64>,
}

impl Meta {
    /// The directory of an hour that somebody named.
    ///
    /// # Errors
    /// `NotFound` when the trash has no such hour, `InvalidArgument` or `NameTooLong` when it can have none of that name.
    pub(in crate::admin) async fn trash_hour(&self, hour: &str) -> Result<Ino> {
        let name = Name::new(hour.as_bytes()).map_err(|error| no_such_hour(error.kind()))?;
        let edge = self.engine.get(&[Key::Edge(Ino::TRASH, name)]).await?.edge()?;
        edge.map(|entry| entry.ino)
            .ok_or_else(|| no_such_hour(ErrorKind::NotFound))
    }

    /// Whether the trash has an hour.
    ///
    /// # Errors
    /// As for everything that is done with an hour: `NotFound`, or `InvalidArgument` and `NameTooLong` for a name that
    /// none can have.
    pub async fn find_trash_hour(&self, hour: &str) -> Result<()> {
        self.trash_hour(hour).await.map(drop)
    }

    /// Reads the names of an hour; entries that can not be read are passed over.
    ///
    /// Memory: about 400 bytes per removed folder, 40 per folder that something else was removed from.
    pub(super) async fn index_hour(&self, hour: Ino) -> Result<HourIndex> {
        let mut index = HourIndex {
            hour,
            directories: HashMap::new(),
            inside: HashMap::new(),
            others: HashMap::new(),
        };
        let mut pages = Pages::new(Scan::Edges(hour));
        while let Some(page) = pages.survey(self).await? {
            for item in page.items {
                if let (Key::Edge(_, stored), Record::Edge(entry)) = item {
                    index.note(stored, entry.kind, entry.ino);
                }
            }
        }
        Ok(index)
    }
}

impl HourIndex {
    fn note(&mut self, stored: Name, kind: NodeType, ino: Ino) {
        let Some(name) = EntryName::parse(&stored) else {
            return;
        };
        if kind == NodeType::Directory {
            self.inside.entry(name.old_parent).or_default().push(ino);
            self.directories.insert(ino, RemovedDirectory { stored, name });
        } else {
            *self.others.entry(name.old_parent).or_default() += 1;
        }
    }

    /// A folder that was removed in this hour.
    pub(super) fn directory(&self, ino: Ino) -> Option<&RemovedDirectory> {
        self.directories.get(&ino)
    }

    /// The folders that were removed from inside `directory`, itself left out: level by level, so that each comes after
    /// the one it was in.
    pub(super) fn directories_below(&self, directory: Ino) -> Vec<Ino> {
        let mut seen = HashSet::from([directory]);
        let mut found: Vec<Ino> = Vec::new();
        let mut level = vec![directory];
        while !level.is_empty() {
            let inner = level.iter().filter_map(|above| self.inside.get(above)).flatten();
            // Damaged names may lead back to where they began.
            level = inner.copied().filter(|ino| seen.insert(*ino)).collect();
            found.extend(&level);
        }
        found
    }

    /// How much was removed from inside a folder.
    pub(super) fn entries_below(&self, directory: Ino) -> u64 {
        let directories = self.directories_below(directory);
        let others = std::iter::once(&directory)
            .chain(&directories)
            .filter_map(|ino| self.others.get(ino))
            .sum::<u64>();
        others + directories.len() as u64
    }
}
