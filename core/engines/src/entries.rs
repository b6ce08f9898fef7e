//! Records that were read, as those see them who want one kind, or every record of a range.

use moorage_meta::{DirectoryEntry, Key, Record, Survey};
use moorage_model::{Attr, Error, ErrorKind, Ino, Name, Result};

/// A name of an entry as it is stored, unless it is one that no entry can have.
///
/// # Errors
/// `Corrupt` naming the entry.
pub(crate) fn checked_name(directory: Ino, bytes: &[u8]) -> Result<Name> {
    let name = Name::as_stored(bytes);
    match name.flaw() {
        None => Ok(name),
        Some(flaw) => Err(Error::new(
            ErrorKind::Corrupt,
            format!("entry {name:?} of directory {directory} has an impossible name: {flaw}"),
        )
        .with_advice("`moorage fsck --repair` gives it another name.")),
    }
}

/// Refuses the record of an entry whose stored name is impossible. Its key is the only thing wrong with it.
///
/// # Errors
/// As [`checked_name`].
pub(crate) fn check_name(key: &Key) -> Result<()> {
    match key {
        Key::Edge(directory, name) => checked_name(*directory, name.as_bytes()).map(drop),
        _ => Ok(()),
    }
}

/// A page for those who need every record of it. What names no record is left out: a survey tells of it.
pub(crate) fn records_only(mut page: Survey) -> Survey {
    page.damaged.retain(|damaged| {
        if damaged.key.is_none() {
            tracing::warn!("{}", damaged.error);
        }
        damaged.key.is_some()
    });
    page
}

/// A page of entries as a listing without attributes.
///
/// # Errors
/// `Corrupt` naming the first entry that can not be read.
pub(crate) fn entries(page: Survey) -> Result<Vec<DirectoryEntry>> {
    let page = records_only(page).whole()?;
    let items = page.items.into_iter();
    Ok(items
        .filter_map(|(key, record)| match (key, record) {
            (Key::Edge(_, name), Record::Edge(entry)) => Some(DirectoryEntry {
                name,
                entry,
                attr: None,
                damaged: false,
            }),
            _ => None,
        })
        .collect())
}

/// The attributes that a record is.
pub(crate) fn attributes(record: Option<Record>) -> Option<Attr> {
    match record {
        Some(Record::Node(attr)) => Some(attr),
        _ => None,
    }
}
