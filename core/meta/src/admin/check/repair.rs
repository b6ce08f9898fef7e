//! Repairs: each looks again in its own transaction and changes nothing that is right by then.

use moorage_model::{Attr, Counter, Error, ErrorKind, Gid, Ino, Name, NodeType, Result, SliceId, Uid};

use super::loops::locked_lies_in;
use super::lost_and_found::adopt;
use super::namespace::Repaired;
use crate::accounting::entry_stat;
use crate::admin::readable;
use crate::admin::recount::list_directory;
use crate::{Key, Meta, Record, Scan, Txn};

/// Records of open files without a name that are read at once.
const SUSTAINED_PAGE: usize = 1000;
/// Names tried for an entry that needs another one: more than a directory has hard links of one file with such names.
const MOST_NAMES: u32 = 100;
/// Mode of a directory that is made again.
const REMADE_MODE: u16 = 0o755;

/// The refusal of a repair that only a volume at rest allows.
pub(super) fn in_use() -> Error {
    Error::new(ErrorKind::Busy, "other sessions use the volume")
        .with_advice("Unmount it everywhere, then repair.")
}

fn inside_itself(directory: Ino) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("directory {directory} would lie in itself"),
    )
}

impl Meta {
    /// Sets the link count of a directory to what its sub-directories make.
    pub(super) async fn repair_directory_links(&self, directory: Ino) -> Repaired {
        self.transact("repair", move |meta, txn| {
            Box::pin(async move {
                let Some(mut attr) = txn.lock_node(directory).await? else {
                    return Ok(false);
                };
                // Sub-directories come and go together with the link count, which is locked.
                attr.nlink = list_directory(&*txn, directory)
                    .await?
                    .subdirectories
                    .saturating_add(2);
                txn.put(Key::Node(directory), Record::Node(attr));
                meta.log(txn, || format!("REPAIRDIR({directory})"));
                Ok(true)
            })
        })
        .await
    }

    /// Counts the statistics of a directory again.
    pub(super) async fn repair_directory_statistics(&self, directory: Ino) -> Repaired {
        self.recount_directory(directory).await.map(|()| true)
    }

    /// Sets the link count of a file to the number of its names.
    pub(super) async fn repair_file_links(&self, ino: Ino) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                let Some(mut attr) = txn.lock_node(ino).await? else {
                    return Ok(false);
                };
                let links = if attr.parent == Ino::NONE {
                    txn.parents(ino)
                        .await?
                        .into_iter()
                        .map(|(_, entries)| entries)
                        .sum()
                } else {
                    1
                };
                if links == 0 {
                    return Ok(false);
                }
                attr.nlink = links;
                txn.put(Key::Node(ino), Record::Node(attr));
                Ok(true)
            })
        })
        .await
    }

    /// Lets a node say the directory that has it, unless the directory that it says has it too, or it would lie in
    /// itself then.
    pub(super) async fn repair_parent(&self, directory: Ino, name: Name) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move {
                let Some((entry, Some(mut attr))) = txn.lock_child(directory, &name).await? else {
                    return Ok(false);
                };
                if attr.parent == directory || !meta.names_of(attr.parent, entry.ino).await?.is_empty() {
                    return Ok(false);
                }
                if attr.is_directory() && locked_lies_in(txn, directory, entry.ino).await? {
                    return Ok(false);
                }
                attr.parent = directory;
                txn.put(Key::Node(entry.ino), Record::Node(attr));
                Ok(true)
            })
        })
        .await
    }

    /// Removes an entry that leads to the root, or to a directory that says it lies elsewhere.
    pub(super) async fn repair_second_name(&self, directory: Ino, name: Name) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move {
                let Some((entry, Some(attr))) = txn.lock_child(directory, &name).await? else {
                    return Ok(false);
                };
                // A rename changes both at once.
                let elsewhere = entry.ino == Ino::ROOT || attr.parent != directory;
                if !(attr.is_directory() && elsewhere) {
                    return Ok(false);
                }
                txn.delete(Key::Edge(directory, name));
                meta.account_entry(txn, directory, -entry_stat(&attr)).await?;
                meta.log(txn, || format!("REPAIRDIR({directory})"));
                Ok(true)
            })
        })
        .await
    }

    /// Gives an entry whose name is impossible or means something else one of its own.
    pub(super) async fn repair_reserved_name(&self, directory: Ino, name: Name) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move {
                let edge = Key::Edge(directory, name);
                let found = txn.get_locked(std::slice::from_ref(&edge)).await?.edge()?;
                let Some(entry) = found else {
                    return Ok(false);
                };
                let renamed = unused_name(txn, directory, &format!("renamed-{}", entry.ino)).await?;
                txn.delete(edge);
                txn.insert(Key::Edge(directory, renamed), Record::Edge(entry));
                meta.log(txn, || format!("REPAIRDIR({directory})"));
                Ok(true)
            })
        })
        .await
    }

    /// Makes the node of a directory again, or removes an entry of another kind whose node is gone.
    pub(super) async fn repair_missing_node(&self, directory: Ino, name: Name) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move {
                let Some((mut entry, None)) = txn.lock_child(directory, &name).await? else {
                    return Ok(false);
                };
                // What has entries was a directory, whatever the entry says.
                if entry.kind == NodeType::Directory || !txn.lock_is_empty(entry.ino).await? {
                    if locked_lies_in(txn, directory, entry.ino).await? {
                        return Err(inside_itself(entry.ino));
                    }
                    if entry.kind != NodeType::Directory {
                        entry.kind = NodeType::Directory;
                        txn.put(Key::Edge(directory, name), Record::Edge(entry));
                    }
                    remake_directory(meta, txn, directory, entry.ino).await?;
                } else {
                    txn.delete(Key::Edge(directory, name));
                    let gone = Attr::new(entry.kind, 0, Uid::ROOT, Gid(0), meta.now(), directory);
                    meta.account_entry(txn, directory, -entry_stat(&gone)).await?;
                }
                meta.log(txn, || format!("REPAIRDIR({directory})"));
                Ok(true)
            })
        })
        .await
    }

    /// Names an orphan in `/lost+found` by its inode.
    pub(super) async fn repair_orphan(&self, ino: Ino, home: Ino) -> Repaired {
        let name = Name::new(ino.to_string().as_bytes())?;
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move { adopt(meta, txn, ino, home, name).await })
        })
        .await
    }

    /// Turns a file without links that no session holds open into a deleted one.
    pub(super) async fn repair_unsustained(&self, ino: Ino) -> Repaired {
        self.transact("repair", move |meta, txn| {
            Box::pin(async move {
                let attr = txn.lock_node(ino).await?;
                let Some(attr) = attr.filter(|attr| attr.nlink == 0 && attr.is_file()) else {
                    return Ok(false);
                };
                if is_sustained(txn, ino).await? {
                    return Ok(false);
                }
                txn.delete(Key::Node(ino));
                txn.delete_attachments(ino);
                txn.put(
                    Key::DeletedFile(ino, attr.length),
                    Record::DeletedFile(meta.now().seconds),
                );
                // It was left out of the scan that the counters are compared with, so they are corrected there.
                Ok(true)
            })
        })
        .await
    }

    /// Drops the deleted-file record of a file that exists.
    pub(super) async fn repair_deleted_record(&self, ino: Ino, length: u64) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                if txn.lock_node(ino).await?.is_none() {
                    return Ok(false);
                }
                txn.delete(Key::DeletedFile(ino, length));
                Ok(true)
            })
        })
        .await
    }

    /// Corrects a usage counter that still has the value that was compared.
    pub(super) async fn repair_counter(&self, counter: Counter, stored: i64, scanned: i64) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                let now = txn.get_locked(&[Key::Counter(counter)]).await?.counter()?;
                if now.unwrap_or(0) != stored {
                    return Ok(false);
                }
                txn.add_counter(counter, scanned - stored);
                Ok(true)
            })
        })
        .await
    }

    /// Sets an allocation counter that still has the value that was compared.
    pub(super) async fn repair_allocation(&self, counter: Counter, stored: i64, value: i64) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                let now = txn.get_locked(&[Key::Counter(counter)]).await?.counter()?;
                if now.unwrap_or(counter.initial()) != stored {
                    return Ok(false);
                }
                txn.put(Key::Counter(counter), Record::Counter(value));
                Ok(true)
            })
        })
        .await
    }

    /// Replaces a counter that still can not be read.
    pub(super) async fn rebuild_counter(&self, counter: Counter, value: i64) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                let found = txn.get_locked(&[Key::Counter(counter)]).await;
                if readable(found.and_then(|mut found| found.counter()))?.is_some() {
                    return Ok(false);
                }
                txn.put(Key::Counter(counter), Record::Counter(value));
                Ok(true)
            })
        })
        .await
    }

    /// Corrects the owners of a slice that still have the number that was compared.
    pub(super) async fn repair_owners(&self, id: SliceId, size: u32, stored: i64, counted: i64) -> Repaired {
        self.transact("repair", move |_, txn| {
            Box::pin(async move {
                let now = txn.get_locked(&[Key::SliceRef(id, size)]).await?.owners()?;
                if now.unwrap_or(1) != stored {
                    return Ok(false);
                }
                txn.add_owners(id, size, counted - stored);
                Ok(true)
            })
        })
        .await
    }
}

/// Whether a session holds a file without a name open. Such a record is made by whoever locks the node to take its last
/// name, so that none appears while this transaction has the node locked; one that can not be read may be of this file.
async fn is_sustained(txn: &mut dyn Txn, ino: Ino) -> Result<bool> {
    let mut after = None;
    loop {
        let page = txn
            .survey(&Scan::AllSustained, after.as_ref(), SUSTAINED_PAGE)
            .await?;
        let mut held = page.items.iter().map(|(key, _)| key);
        if !page.damaged.is_empty() || held.any(|key| matches!(key, Key::Sustained(_, open) if *open == ino))
        {
            return Ok(true);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(false),
        }
    }
}

/// A name, with a number behind it where a directory has that already.
pub(super) async fn unused_name(txn: &mut dyn Txn, directory: Ino, wanted: &str) -> Result<Name> {
    for number in 1..=MOST_NAMES {
        let text = match number {
            1 => wanted.to_owned(),
            more => format!("{wanted}-{more}"),
        };
        let edge = Key::Edge(directory, Name::new(text.as_bytes())?);
        let taken = txn.get_locked(std::slice::from_ref(&edge)).await?.edge()?;
        if let (None, Key::Edge(_, name)) = (taken, edge) {
            return Ok(name);
        }
    }
    Err(Error::new(
        ErrorKind::Exists,
        format!("directory {directory} has all names up to {wanted}-{MOST_NAMES}"),
    )
    .with_advice("Give some of them other names, then repair again."))
}

/// Makes the node of a directory, with links and statistics of the entries that it still has.
pub(super) async fn remake_directory(meta: &Meta, txn: &mut dyn Txn, parent: Ino, ino: Ino) -> Result<Attr> {
    let listing = list_directory(&*txn, ino).await?;
    let now = meta.now();
    let mut attr = Attr::new(NodeType::Directory, REMADE_MODE, Uid::ROOT, Gid(0), now, parent);
    attr.nlink = listing.subdirectories.saturating_add(2);
    txn.insert(Key::Node(ino), Record::Node(attr.clone()));
    if meta.setting().dir_stats && listing.damaged == 0 {
        txn.put(Key::DirStat(ino), Record::DirStat(listing.stat));
    }
    Ok(attr)
}
