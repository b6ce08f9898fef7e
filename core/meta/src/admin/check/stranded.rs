//! Entries that lie in a directory that does not exist, or in something that is no directory.

use std::collections::BTreeMap;

use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, NodeType, Result};

use super::inode_set::InodeSet;
use super::loops::locked_lies_in;
use super::namespace::{Namespace, Repaired};
use super::repair::{remake_directory, unused_name};
use super::report::{Defect, Severity};
use crate::accounting::entry_stat;
use crate::admin::{read_entries, readable};
use crate::{DirectoryEntry, Key, Meta, Record};

/// The places of such entries.
#[derive(Debug, Default)]
pub(super) struct Stranded {
    places: BTreeMap<Ino, Place>,
    /// What the entries lead to.
    below: InodeSet,
}

/// Something that has entries and is no directory.
#[derive(Debug)]
struct Place {
    /// Whether it is there, as something else.
    exists: bool,
    first: (Name, Ino),
    entries: u64,
}

impl Stranded {
    /// Notes an entry of a place.
    pub(super) fn note(&mut self, place: Ino, exists: bool, name: Name, entry: Entry) {
        self.below.insert(entry.ino);
        let place = self.places.entry(place).or_insert(Place {
            exists,
            first: (name, entry.ino),
            entries: 0,
        });
        place.entries += 1;
    }
}

impl Namespace<'_> {
    /// Reports the places that were noted, and takes what lies in them into `/lost+found` when repairs are asked for.
    pub(super) async fn check_stranded(&mut self) -> Result<()> {
        let Stranded { places, below } = std::mem::take(&mut self.stranded);
        // With one above them, the others get their names again.
        let (lower, tops): (Vec<_>, Vec<_>) = places.into_iter().partition(|(ino, _)| below.contains(*ino));
        for (ino, place) in tops.into_iter().chain(lower) {
            self.progress.check()?;
            if !self.directories.contains_key(&ino) {
                self.check_place(ino, &place).await?;
            }
        }
        Ok(())
    }

    async fn check_place(&mut self, ino: Ino, place: &Place) -> Result<()> {
        let certain = place.exists || self.unread.unknown_nodes == 0;
        let home = if certain { self.home().await } else { None };
        let remade = !place.exists && self.was_given_out(ino).await?;
        let repair = match home {
            None => None,
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(home)) if remade => Some(self.meta.repair_missing_directory(ino, home).await),
            Some(Ok(home)) => Some(self.take_entries(ino, home).await),
        };
        let done = matches!(repair, Some(Ok(true)));
        let (name, child) = &place.first;
        self.add(
            Defect::MissingDirectory,
            Severity::Error,
            format!(
                "entry {name:?} leads to inode {child} and lies in inode {ino}, which {}{}",
                if place.exists { "is no directory" } else { "does not exist" },
                if place.entries > 1 {
                    format!("; {} entries lie there", place.entries)
                } else {
                    String::new()
                }
            ),
            if !certain {
                "Nodes whose number can not be read may be it: restore them first."
            } else if remade {
                "`fsck --repair` makes that directory again with the entries it has: where an entry leads to it, otherwise \
                 in /lost+found."
            } else {
                "`fsck --repair` gives what lies there names in /lost+found."
            },
            certain.then_some(repair),
        );
        if done && remade {
            // It counts as used again, and what lies in it is looked at as everywhere.
            self.nodes.insert(ino);
            self.named.insert(ino);
            self.check_directories(vec![ino]).await?;
        }
        Ok(())
    }

    /// Whether a node can have had this number: one beyond the counter is damage of the entry that says it.
    async fn was_given_out(&self, ino: Ino) -> Result<bool> {
        if ino <= Ino::ROOT || ino >= Ino::INTERNAL {
            return Ok(false);
        }
        let next = readable(self.read_counter(Counter::NextInode).await)?.flatten();
        Ok(next.is_some_and(|next| u64::try_from(next).is_ok_and(|next| ino.0 < next)))
    }

    /// Moves every entry of a place into `/lost+found`.
    async fn take_entries(&mut self, place: Ino, home: Ino) -> Repaired {
        let mut moved = false;
        let mut after = None;
        loop {
            self.progress.check()?;
            let page = read_entries(self.meta.engine.as_ref(), place, after.as_ref(), false).await?;
            let (misnamed, _) = self.despite_names(page.damaged).await?;
            let misnamed = misnamed.into_iter().map(|(_, item)| item);
            for DirectoryEntry { name, entry, .. } in page.items.into_iter().chain(misnamed) {
                moved |= self.meta.repair_stranded(place, name, home).await?;
                if let Some(parent) = self
                    .directories
                    .get_mut(&entry.ino)
                    .filter(|parent| **parent == place)
                {
                    *parent = home;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(moved);
            }
        }
    }
}

impl Meta {
    /// Makes a directory that does not exist and has entries again, in `/lost+found`.
    async fn repair_missing_directory(&self, ino: Ino, home: Ino) -> Repaired {
        self.transact("repair", move |meta, txn| {
            Box::pin(async move {
                let mut found = txn.get_locked(&[Key::Node(ino), Key::Node(home)]).await?;
                let (None, Some(directory)) = (found.node()?, found.node()?) else {
                    return Ok(false);
                };
                if txn.lock_is_empty(ino).await? {
                    return Ok(false);
                }
                let name = unused_name(txn, home, &ino.to_string()).await?;
                let made = remake_directory(meta, txn, home, ino).await?;
                let kind = NodeType::Directory;
                txn.insert(Key::Edge(home, name), Record::Edge(Entry { kind, ino }));
                meta.account_entry(txn, home, entry_stat(&made)).await?;
                meta.touch_directory(txn, home, directory, kind);
                Ok(true)
            })
        })
        .await
    }

    /// Moves an entry out of something that is no directory into `/lost+found`. What has its name elsewhere keeps only
    /// that; an entry that leads to nothing goes.
    async fn repair_stranded(&self, place: Ino, name: Name, home: Ino) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let edge = Key::Edge(place, name.clone());
            Box::pin(async move {
                let keys = [Key::Node(place), Key::Node(home), edge.clone()];
                let mut found = txn.get_locked(&keys).await?;
                let (holder, Some(directory), Some(entry)) = (found.node()?, found.node()?, found.edge()?)
                else {
                    return Ok(false);
                };
                if holder.is_some_and(|attr: Attr| attr.is_directory()) {
                    return Ok(false);
                }
                let ino = entry.ino;
                let attr = txn.lock_node(ino).await?;
                txn.delete(edge);
                let Some(mut attr) = attr.filter(|_| ino != Ino::ROOT && !ino.is_trash()) else {
                    return Ok(true);
                };
                if attr.parent == Ino::NONE {
                    txn.add_parent(ino, place, -1);
                    txn.add_parent(ino, home, 1);
                } else if attr.parent != place && !meta.names_of(attr.parent, ino).await?.is_empty() {
                    return Ok(true);
                } else if attr.is_directory() && locked_lies_in(txn, home, ino).await? {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!("/lost+found lies in directory {ino}"),
                    ));
                } else {
                    attr.parent = home;
                    txn.put(Key::Node(ino), Record::Node(attr.clone()));
                }
                let name = unused_name(txn, home, &ino.to_string()).await?;
                let kind = attr.kind;
                txn.insert(Key::Edge(home, name), Record::Edge(Entry { kind, ino }));
                meta.account_entry(txn, home, entry_stat(&attr)).await?;
                meta.touch_directory(txn, home, directory, kind);
                Ok(true)
            })
        })
        .await
    }
}
