//! The entries of a directory, past those that can not be read.

use moorage_model::{ErrorKind, Ino, Name, Result};

use super::damage::readable;
use super::tree_walk::ENTRY_PAGE;
use crate::{DamagedRecord, DirectoryEntry, Key, Read, Record, Scan, TxnExt as _};

/// A page of a directory.
#[derive(Debug, Default)]
pub(crate) struct EntryPage {
    pub(crate) items: Vec<DirectoryEntry>,
    /// Entries that can not be read.
    pub(crate) damaged: Vec<DamagedRecord>,
    /// The name to continue after when another page may follow.
    pub(crate) next: Option<Name>,
}

/// As [`Read::read_directory`] with attributes if `attributes` says so, but an entry that can not be read hides none
/// behind it: the page that holds one is read entry by entry.
///
/// # Errors
/// Those of [`Read::survey`].
pub(crate) async fn read_entries(
    reader: &(impl Read + ?Sized),
    directory: Ino,
    after: Option<&Name>,
    attributes: bool,
) -> Result<EntryPage> {
    match reader
        .read_directory(directory, after, ENTRY_PAGE, attributes)
        .await
    {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            read_one_by_one(reader, directory, after, ENTRY_PAGE, attributes).await
        }
        Err(error) => Err(error),
        Ok(items) => Ok(EntryPage {
            next: (items.len() == ENTRY_PAGE)
                .then(|| items.last().map(|item| item.name.clone()))
                .flatten(),
            items,
            damaged: Vec::new(),
        }),
    }
}

/// As [`read_entries`], for a page of at most `limit` entries that is known to hold one which can not be read.
///
/// # Errors
/// Those of [`Read::survey`].
pub(crate) async fn read_one_by_one(
    reader: &(impl Read + ?Sized),
    directory: Ino,
    after: Option<&Name>,
    limit: usize,
    attributes: bool,
) -> Result<EntryPage> {
    let after = after.map(|name| Key::Edge(directory, name.clone()));
    let found = reader
        .survey(&Scan::Edges(directory), after.as_ref(), limit)
        .await?;
    let mut page = EntryPage {
        items: Vec::with_capacity(found.items.len()),
        damaged: found.damaged,
        next: match found.next {
            Some(Key::Edge(_, name)) => Some(name),
            _ => None,
        },
    };
    for item in found.items {
        let (Key::Edge(_, name), Record::Edge(entry)) = item else {
            continue;
        };
        let node = if attributes {
            let node = reader.get(&[Key::Node(entry.ino)]).await;
            readable(node.and_then(|mut found| found.node()))?
        } else {
            Some(None)
        };
        page.items.push(DirectoryEntry {
            name,
            entry,
            damaged: node.is_none(),
            attr: node.flatten(),
        });
    }
    Ok(page)
}
