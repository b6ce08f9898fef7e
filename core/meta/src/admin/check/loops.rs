//! Directories that hang below each other and nothing else.

use moorage_model::{Error, ErrorKind, Ino, Name, Result};

use super::CheckScope;
use super::inode_set::InodeSet;
use super::links::ENTRIES_FIRST;
use super::lost_and_found::adopt;
use super::namespace::{Namespace, Repaired};
use super::report::{Defect, Severity};
use crate::accounting::entry_stat;
use crate::admin::readable;
use crate::admin::recount::list_directory;
use crate::{Key, Meta, Read, Record, Txn, TxnExt as _};

impl Namespace<'_> {
    /// Whether a directory is another one or lies below it, as far as that can be read.
    pub(super) async fn lies_in(&self, directory: Ino, top: Ino) -> Result<bool> {
        Ok(readable(lies_in(self.meta.engine.as_ref(), directory, top).await)?.unwrap_or(false))
    }

    /// Reports the entries that lead to a directory from inside it, where the directory that it says it lies in has it
    /// not.
    pub(super) async fn judge_inner_entries(&mut self) -> Result<()> {
        for (directory, name) in std::mem::take(&mut self.inner_entries) {
            let found = readable(self.meta.engine.lookup(directory, &name).await)?.flatten();
            let Some((entry, Some(attr))) = found else {
                continue;
            };
            if attr.parent == directory || !self.lies_in(directory, entry.ino).await? {
                continue;
            }
            let message = format!(
                "directory {} has its only name inside itself: {name:?} of directory {directory}",
                entry.ino
            );
            self.report_loop(message, directory, name).await;
        }
        Ok(())
    }

    /// Follows the parents of every directory; a chain that meets itself is a loop, unless its directories have been
    /// moved since they were read. Each loop is reported once.
    pub(super) async fn find_loops(&mut self) -> Result<()> {
        let mut done = InodeSet::default();
        let mut loops = Vec::new();
        for start in self.directories.keys() {
            let mut chain: Vec<Ino> = Vec::new();
            let mut on_chain = InodeSet::default();
            let mut current = *start;
            let mut met = Vec::new();
            while current != Ino::ROOT && !current.is_trash() && !done.contains(current) {
                if !on_chain.insert(current) {
                    let first = chain.iter().position(|ino| *ino == current).unwrap_or(0);
                    met = chain.split_off(first);
                    break;
                }
                chain.push(current);
                let Some(parent) = self.directories.get(&current) else {
                    break;
                };
                current = *parent;
            }
            for ino in chain.into_iter().chain(met.iter().copied()) {
                done.insert(ino);
            }
            if !met.is_empty() {
                loops.push(met);
            }
        }
        for mut found in loops {
            found.sort_unstable();
            if !self.is_unchanged(&found).await? {
                continue;
            }
            // Where one has no name inside the loop, it is an orphan or has a wrong parent, which is a finding of its own.
            let Some((directory, name)) = self.way_into(&found).await? else {
                continue;
            };
            let members: Vec<String> = found.iter().map(Ino::to_string).collect();
            let message = format!(
                "directories lie in each other or in themselves and hang below nothing: {}",
                members.join(", ")
            );
            self.report_loop(message, directory, name).await;
        }
        Ok(())
    }

    /// The entry of the first of these directories in the one that it lies in; `None` when one of them has none.
    async fn way_into(&self, members: &[Ino]) -> Result<Option<(Ino, Name)>> {
        let mut way = None;
        for ino in members {
            let Some(parent) = self.directories.get(ino) else {
                return Ok(None);
            };
            let Some(names) = readable(self.meta.names_of(*parent, *ino).await)? else {
                continue;
            };
            let Some(name) = names.into_iter().next() else {
                return Ok(None);
            };
            way.get_or_insert((*parent, name));
        }
        Ok(way)
    }

    async fn report_loop(&mut self, message: String, directory: Ino, name: Name) {
        let whole_volume = self.options.scope == CheckScope::Volume;
        let certain = whole_volume && self.unread.names_are_known();
        let home = if certain { self.home().await } else { None };
        let repair = match home {
            None => None,
            Some(Ok(home)) => Some(self.meta.repair_loop(directory, name, home).await),
            Some(Err(error)) => Some(Err(error)),
        };
        let advice = if certain {
            "`fsck --repair` names it, or the first of them, in /lost+found instead."
        } else if whole_volume {
            ENTRIES_FIRST
        } else {
            "`fsck --repair` of the whole volume names it in /lost+found instead."
        };
        self.add(
            Defect::Loop,
            Severity::Error,
            message,
            advice,
            certain.then_some(repair),
        );
    }

    async fn is_unchanged(&self, directories: &[Ino]) -> Result<bool> {
        let Some(now) = readable(self.meta.getattrs(directories).await)? else {
            return Ok(false);
        };
        Ok(directories
            .iter()
            .zip(now)
            .all(|(ino, attr)| self.directories.get(ino).copied() == attr.map(|attr| attr.parent)))
    }
}

impl Meta {
    /// Gives a directory whose name lies inside it a name in `/lost+found` instead.
    async fn repair_loop(&self, directory: Ino, name: Name, home: Ino) -> Repaired {
        self.transact("repair", move |meta, txn| {
            let name = name.clone();
            Box::pin(async move {
                let Some((entry, Some(attr))) = txn.lock_child(directory, &name).await? else {
                    return Ok(false);
                };
                let ino = entry.ino;
                let elsewhere =
                    attr.parent != directory && !meta.names_of(attr.parent, ino).await?.is_empty();
                if !attr.is_directory() || elsewhere || !locked_lies_in(txn, directory, ino).await? {
                    return Ok(false);
                }
                txn.delete(Key::Edge(directory, name));
                if let Some(mut left) = txn.lock_node(directory).await? {
                    let listing = list_directory(&*txn, directory).await?;
                    left.nlink = listing.subdirectories.saturating_add(2);
                    txn.put(Key::Node(directory), Record::Node(left));
                }
                // Nothing is above a loop, so no quota counts the entry.
                meta.account_entry_in(txn, directory, &[], -entry_stat(&attr));
                let name = Name::new(ino.to_string().as_bytes())?;
                if adopt(meta, txn, ino, home, name).await? {
                    Ok(true)
                } else {
                    Err(Error::new(
                        ErrorKind::Exists,
                        format!("/lost+found has an entry {ino} or lies in that directory"),
                    ))
                }
            })
        })
        .await
    }
}

/// Whether a directory is `top` or lies below it, by what the directories say of their parents.
async fn lies_in(reader: &(impl Read + ?Sized), directory: Ino, top: Ino) -> Result<bool> {
    let mut climb = Climb::new(directory);
    while climb.at != top {
        if climb.ends() {
            return Ok(false);
        }
        match reader.get(&[Key::Node(climb.at)]).await?.node()? {
            Some(attr) => climb.at = attr.parent,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// As [`lies_in`], with every directory on the way locked, so that none moves before the transaction commits.
pub(super) async fn locked_lies_in(txn: &mut dyn Txn, directory: Ino, top: Ino) -> Result<bool> {
    let mut climb = Climb::new(directory);
    while climb.at != top {
        if climb.ends() {
            return Ok(false);
        }
        match txn.lock_node(climb.at).await? {
            Some(attr) => climb.at = attr.parent,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// A way from a directory upwards.
struct Climb {
    at: Ino,
    seen: InodeSet,
}

impl Climb {
    fn new(at: Ino) -> Climb {
        Climb {
            at,
            seen: InodeSet::default(),
        }
    }

    /// Whether nothing is above, or the way meets itself.
    fn ends(&mut self) -> bool {
        self.at == Ino::ROOT || self.at.is_trash() || !self.seen.insert(self.at)
    }
}
