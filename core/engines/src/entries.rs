//! Records that were read, as those see them who want one kind, or every record of a range.

use moorage_meta::{DirectoryEntry, Key, Record, Survey};
use moorage_model::{Attr, Result};

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
