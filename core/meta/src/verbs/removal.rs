//! Taking a node's entry away: what unlink, rmdir and a replacing rename share (spec 70-semantics sections 3 and 4).

use moorage_model::{Attr, DirStat, Entry, Flags, Ino, Name, NodeType, QuotaKey, Result, Timestamp, align4k};

use crate::accounting::entry_stat;
use crate::open_files::{LastClose, NodeRemoval};
use crate::trash::trash_name;
use crate::{Key, Meta, Record, Txn};

/// An entry to be removed whose checks are done; its directory, entry and node are locked.
#[derive(Debug)]
pub(super) struct Removal<'a> {
    pub(super) parent: Ino,
    pub(super) name: &'a Name,
    /// Directories with a quota from `parent` upwards.
    pub(super) limited: &'a [Ino],
    pub(super) entry: Entry,
    /// `None` when the node record is missing; then only the entry goes.
    pub(super) attr: Option<Attr>,
    /// Where it is moved to, unless the node skips the trash.
    pub(super) trash: Option<Ino>,
    /// The entry is about to point to another node and needs no deletion.
    pub(super) replaced: bool,
}

/// What became of the node.
#[derive(Debug)]
pub(super) enum Fate {
    /// It lies in this trash directory.
    Trashed(Ino),
    /// It has other links.
    Linked,
    /// It is gone and has no data.
    Gone,
    /// Its last link is gone while this client has it open.
    Sustained(Ino),
    /// It is gone and its data of this length is to be removed; opens wait for the end of the removal.
    Deleted(Ino, u64, Option<NodeRemoval>),
}

impl Fate {
    /// Whether the node stays because this client has it open.
    pub(super) fn is_sustained(&self) -> bool {
        matches!(self, Fate::Sustained(_))
    }

    /// The trash directory for the changelog, [`Ino::NONE`] when really removed.
    pub(super) fn trash(&self) -> Ino {
        if let Fate::Trashed(directory) = self {
            *directory
        } else {
            Ino::NONE
        }
    }
}

impl Removal<'_> {
    /// Writes the removal: entry, node and all that hangs on it, usage and statistics. The directory's own attributes
    /// are the caller's. One round trip for hard links that go to the trash, else none.
    pub(super) async fn run(self, meta: &Meta, txn: &mut dyn Txn, now: Timestamp) -> Result<Fate> {
        let edge = Key::Edge(self.parent, self.name.clone());
        let stat = match &self.attr {
            Some(attr) => entry_stat(attr),
            None => DirStat {
                length: 0,
                space: align4k(0),
                inodes: 1,
            },
        };
        let Some(attr) = self.attr else {
            txn.delete(edge);
            meta.account_entry_in(txn, self.parent, self.limited, -stat);
            return Ok(Fate::Gone);
        };
        let place = match self.trash.filter(|_| !attr.flags.contains(Flags::SKIP_TRASH)) {
            Some(trash) => trash_place(txn, trash, self.parent, self.name, self.entry.ino, &attr).await?,
            None => None,
        };
        if !self.replaced {
            txn.delete(edge);
        }
        meta.account_entry_in(txn, self.parent, self.limited, -stat);
        match place {
            Some((trash, name)) => {
                move_to_trash(txn, trash, name, self.parent, self.entry, attr, now);
                // No quota counts the trash.
                meta.account_entry_in(txn, trash, &[], stat);
                Ok(Fate::Trashed(trash))
            }
            None if attr.is_directory() => {
                delete_directory(meta, txn, self.entry.ino, &attr);
                Ok(Fate::Gone)
            }
            None => Ok(drop_link(meta, txn, self.parent, self.entry.ino, attr, now)),
        }
    }
}

/// The trash entry for a node; `None` when a second link of the same file was removed from the same place this hour.
async fn trash_place(
    txn: &mut dyn Txn,
    trash: Ino,
    parent: Ino,
    name: &Name,
    ino: Ino,
    attr: &Attr,
) -> Result<Option<(Ino, Name)>> {
    let name = trash_name(parent, ino, name)?;
    if !attr.is_directory() && attr.nlink > 1 {
        let taken = txn.get_locked(&[Key::Edge(trash, name.clone())]).await?.edge()?;
        if taken.is_some() {
            return Ok(None);
        }
    }
    Ok(Some((trash, name)))
}

fn move_to_trash(
    txn: &mut dyn Txn,
    trash: Ino,
    name: Name,
    parent: Ino,
    entry: Entry,
    mut attr: Attr,
    now: Timestamp,
) {
    attr.ctime = now;
    if attr.parent == Ino::NONE {
        txn.add_parent(entry.ino, trash, 1);
        txn.add_parent(entry.ino, parent, -1);
    } else {
        attr.parent = trash;
    }
    if attr.is_directory() {
        delete_directory_numbers(txn, entry.ino);
    }
    txn.put(Key::Node(entry.ino), Record::Node(attr));
    // The name holds the inode, so whatever it replaces is an entry of the same node.
    txn.put(Key::Edge(trash, name), Record::Edge(entry));
}

/// Statistics and quota of a directory that is no longer in the tree.
fn delete_directory_numbers(txn: &mut dyn Txn, ino: Ino) {
    txn.delete(Key::DirStat(ino));
    txn.delete(Key::Quota(QuotaKey::Directory(ino)));
}

fn delete_directory(meta: &Meta, txn: &mut dyn Txn, ino: Ino, attr: &Attr) {
    delete_directory_numbers(txn, ino);
    txn.delete(Key::Node(ino));
    txn.delete_attachments(ino);
    meta.account_node(txn, attr.uid, attr.gid, -attr.used_space(), -1);
}

/// Removes one link of a node that is no directory.
fn drop_link(meta: &Meta, txn: &mut dyn Txn, parent: Ino, ino: Ino, mut attr: Attr, now: Timestamp) -> Fate {
    if attr.nlink > 1 {
        attr.nlink -= 1;
        attr.ctime = now;
        if attr.parent == Ino::NONE {
            txn.add_parent(ino, parent, -1);
        }
        txn.put(Key::Node(ino), Record::Node(attr));
        return Fate::Linked;
    }
    txn.delete_attachments(ino);
    if attr.is_file() {
        return drop_file(meta, txn, ino, attr, now);
    }
    txn.delete(Key::Node(ino));
    meta.account_node(txn, attr.uid, attr.gid, -attr.used_space(), -1);
    if attr.kind == NodeType::Symlink {
        txn.delete(Key::Symlink(ino));
    }
    Fate::Gone
}

/// Removes a file with its last link, unless this client has it open.
fn drop_file(meta: &Meta, txn: &mut dyn Txn, ino: Ino, mut attr: Attr, now: Timestamp) -> Fate {
    let session = meta.session();
    let removal = meta.open_files.begin_removal(ino);
    if let (None, true) = (&removal, session.0 != 0) {
        attr.nlink = 0;
        attr.ctime = now;
        txn.put(Key::Node(ino), Record::Node(attr));
        txn.put(Key::Sustained(session, ino), Record::Sustained);
        return Fate::Sustained(ino);
    }
    txn.delete(Key::Node(ino));
    meta.account_node(txn, attr.uid, attr.gid, -attr.used_space(), -1);
    txn.put(
        Key::DeletedFile(ino, attr.length),
        Record::DeletedFile(now.seconds),
    );
    Fate::Deleted(ino, attr.length, removal)
}

impl Meta {
    /// What follows a committed removal: the last close of an open file, or the removal of data in the background.
    pub(super) fn after_removal(&self, fate: Fate) {
        let (ino, work, removal) = match fate {
            Fate::Sustained(ino) => (ino, LastClose::DeleteSustained, None),
            Fate::Deleted(ino, length, removal) => (ino, LastClose::RemoveData(length), removal),
            Fate::Trashed(_) | Fate::Linked | Fate::Gone => return,
        };
        // The last handle may have been closed, or one opened, while the transaction ran.
        if !self.open_files.defer(ino, work) {
            self.finish_close_later(ino, work);
        }
        // An open that waited finds no node, and does now what was left to it.
        drop(removal);
    }
}
