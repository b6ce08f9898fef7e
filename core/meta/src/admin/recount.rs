//! Directory statistics from a listing (spec 70-semantics section 8).

use moorage_model::{DirStat, Error, ErrorKind, Ino, NodeType, Result, align4k};

use super::tree_walk::ENTRY_PAGE;
use crate::accounting::entry_stat;
use crate::{DirectoryEntry, Key, Meta, Read, Record, Txn};

/// What a listing of a directory tells about the directory itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) stat: DirStat,
    pub(super) subdirectories: u32,
    /// Entries whose node can not be read; the statistics count them as empty.
    pub(super) damaged: u32,
}

impl Listing {
    pub(super) fn add(&mut self, item: &DirectoryEntry) {
        self.damaged += u32::from(item.damaged);
        self.subdirectories += u32::from(item.entry.kind == NodeType::Directory);
        self.stat += match &item.attr {
            Some(attr) => entry_stat(attr),
            None => DirStat {
                length: 0,
                space: align4k(0),
                inodes: 1,
            },
        };
    }
}

/// Adds up the entries of a directory.
pub(super) async fn list_directory(reader: &(impl Read + ?Sized), directory: Ino) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut after = None;
    loop {
        let page = reader
            .read_directory(directory, after.as_ref(), ENTRY_PAGE, true)
            .await?;
        page.iter().for_each(|item| listing.add(item));
        if page.len() < ENTRY_PAGE {
            return Ok(listing);
        }
        after = page.last().map(|item| item.name.clone());
    }
}

impl Meta {
    /// Replaces the statistics of a directory by what its entries add up to. Does nothing when it is gone.
    pub(crate) async fn recount_directory(&self, directory: Ino) -> Result<()> {
        self.transact("recount directory", move |meta, txn| {
            Box::pin(async move { recount(meta, txn, directory).await })
        })
        .await
    }
}

async fn recount(meta: &Meta, txn: &mut dyn Txn, directory: Ino) -> Result<()> {
    // Every change of an entry's statistics adds to this record, so locking it makes the sum exact.
    let keys = [Key::Node(directory), Key::DirStat(directory)];
    let mut found = txn.get_locked(&keys).await?;
    if !found.node()?.is_some_and(|attr| attr.is_directory()) {
        return Ok(());
    }
    let before = found.dir_stat()?;
    let listing = list_directory(&*txn, directory).await?;
    if listing.damaged > 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "directory {directory} can not be counted: attributes of {} of its entries can not be read",
                listing.damaged
            ),
        )
        .with_advice("Run `moorage fsck`: it names them."));
    }
    let stat = listing.stat;
    if before != Some(stat) {
        txn.put(Key::DirStat(directory), Record::DirStat(stat));
        meta.log(txn, || {
            format!(
                "DIRSTAT({directory},{},{},{})",
                stat.length, stat.space, stat.inodes
            )
        });
    }
    Ok(())
}
