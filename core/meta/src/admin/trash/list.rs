//! What lies in an hour of the trash, page by page.

use moorage_model::{Attr, Entry, Ino, MAX_NAME_BYTES, Name, NodeType, Result, Timestamp};

use super::hour_index::HourIndex;
use super::origin::{OldFolder, Origins};
use super::{EntryName, hour_index};
use crate::admin::readable;
use crate::{Key, Meta, Record, Scan, TxnExt as _};

/// Most entries of a page: a person reads fewer, and each may take a look at the folders it was in.
pub const MAX_TRASH_PAGE: usize = 1000;

/// Names read in one round trip.
const SCAN_PAGE: usize = 1000;

/// Which entries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrashQuery {
    /// A folder removed in the same hour, by its name there: what was removed from inside it. Otherwise what was not in a
    /// folder that the same hour holds.
    pub within: Option<Name>,
    /// The name to continue after.
    pub after: Option<Name>,
    /// Most entries, 1 to [`MAX_TRASH_PAGE`].
    pub limit: usize,
}

/// Something that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashEntry {
    /// Its name in the hour.
    pub stored: Name,
    /// Its inode.
    pub ino: Ino,
    /// What it is.
    pub kind: NodeType,
    /// Its old name; `None` when the name in the hour does not tell.
    pub name: Option<Name>,
    /// Its name may be longer than the trash could keep.
    pub cut: bool,
    /// Its old path with a leading `/`, as far as it is known.
    pub path: Option<Vec<u8>>,
    /// What became of the folder it was in.
    pub folder: OldFolder,
    /// When it was removed, and the bytes of its content; `None` when its attributes can not be read.
    pub attributes: Option<RemovedAttributes>,
    /// How much was removed from inside it in the same hour.
    pub below: u64,
}

/// What is known of something removed beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedAttributes {
    /// When it was removed, as far as nothing touched it since.
    pub removed: Timestamp,
    /// Bytes of its content.
    pub length: u64,
}

/// A page of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrashPage {
    /// In the order of the engine.
    pub entries: Vec<TrashEntry>,
    /// Names that can not be read, of those that were passed for this page.
    pub damaged: u64,
    /// The name to continue after when more follow.
    pub next: Option<Name>,
}

/// Names of an hour that a query wants.
struct Found {
    items: Vec<(Name, Entry)>,
    damaged: u64,
    next: Option<Name>,
}

impl Meta {
    /// A page of what was removed in an hour (`YYYY-MM-DD-HH`, UTC).
    ///
    /// Reads the names of the whole hour first, and the folders above each old place once, so it is for a person who looks.
    /// Memory: about 400 bytes per folder removed in that hour.
    ///
    /// # Errors
    /// `NotFound` when the trash has no such hour, or the hour no such folder; `InvalidArgument` or `NameTooLong` when it
    /// can have none of that name; what the engine answers, except for damaged records.
    pub async fn list_trash(&self, hour: &str, query: &TrashQuery) -> Result<TrashPage> {
        let hour = self.trash_hour(hour).await?;
        let index = self.index_hour(hour).await?;
        let within = match &query.within {
            Some(stored) => Some(self.trash_entry(hour, stored).await?.ino),
            None => None,
        };
        let found = self.find_in_hour(&index, within, query).await?;
        let attributes = self.attributes_of(&found.items).await?;
        let below: Vec<u64> = found
            .items
            .iter()
            .map(|(_, entry)| match entry.kind {
                NodeType::Directory => index.entries_below(entry.ino),
                _ => 0,
            })
            .collect();
        let mut origins = Origins::new(self, index);
        let mut page = TrashPage {
            entries: Vec::with_capacity(found.items.len()),
            damaged: found.damaged,
            next: found.next,
        };
        for (((stored, entry), attr), below) in found.items.into_iter().zip(attributes).zip(below) {
            let name = EntryName::parse(&stored);
            let place = match &name {
                Some(name) => Some(origins.place_of_entry(name).await?),
                None => None,
            };
            page.entries.push(TrashEntry {
                cut: stored.as_bytes().len() == MAX_NAME_BYTES,
                stored,
                ino: entry.ino,
                kind: entry.kind,
                name: name.map(|name| name.old_name),
                folder: place.as_ref().map_or(OldFolder::Gone, |place| place.state),
                path: place.and_then(|place| place.path),
                attributes: attr.map(|attr| RemovedAttributes {
                    removed: attr.ctime,
                    length: attr.length,
                }),
                below,
            });
        }
        Ok(page)
    }

    /// An entry of an hour.
    ///
    /// # Errors
    /// `NotFound` naming it.
    pub(super) async fn trash_entry(&self, hour: Ino, stored: &Name) -> Result<Entry> {
        let edge = self
            .engine
            .get(&[Key::Edge(hour, stored.clone())])
            .await?
            .edge()?;
        edge.ok_or_else(|| hour_index::no_such_entry(stored))
    }

    async fn find_in_hour(
        &self,
        index: &HourIndex,
        within: Option<Ino>,
        query: &TrashQuery,
    ) -> Result<Found> {
        let limit = query.limit.clamp(1, MAX_TRASH_PAGE);
        let wanted = |stored: &Name| {
            let parent = EntryName::parse(stored).map(|name| name.old_parent);
            match within {
                Some(folder) => parent == Some(folder),
                None => parent.is_none_or(|parent| index.directory(parent).is_none()),
            }
        };
        let mut found = Found {
            items: Vec::new(),
            damaged: 0,
            next: None,
        };
        let range = Scan::Edges(index.hour);
        let mut after = query.after.clone().map(|name| Key::Edge(index.hour, name));
        loop {
            let page = self.engine.survey(&range, after.as_ref(), SCAN_PAGE).await?;
            found.damaged += page.damaged.len() as u64;
            for item in page.items {
                let (Key::Edge(_, stored), Record::Edge(entry)) = item else {
                    continue;
                };
                if !wanted(&stored) {
                    continue;
                }
                if found.items.len() == limit {
                    found.next = found.items.last().map(|(last, _)| last.clone());
                    return Ok(found);
                }
                found.items.push((stored, entry));
            }
            if page.next.is_none() {
                return Ok(found);
            }
            after = page.next;
        }
    }

    async fn attributes_of(&self, items: &[(Name, Entry)]) -> Result<Vec<Option<Attr>>> {
        let keys: Vec<Key> = items.iter().map(|(_, entry)| Key::Node(entry.ino)).collect();
        if let Some(mut found) = readable(self.engine.get(&keys).await)? {
            return items
                .iter()
                .map(|_| Ok(readable(found.node())?.flatten()))
                .collect();
        }
        // One of them is damaged; the others can be read alone.
        let mut attributes = Vec::with_capacity(keys.len());
        for key in keys {
            let found = self.engine.get(&[key]).await;
            attributes.push(readable(found.and_then(|mut found| found.node()))?.flatten());
        }
        Ok(attributes)
    }
}
