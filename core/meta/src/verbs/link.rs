//! link.

use std::sync::Arc;

use moorage_model::{Attr, Entry, ErrorKind, Flags, Ino, Name, Result};

use super::parent::{Parent, check_reserved};
use crate::accounting::entry_stat;
use crate::changelog::escape;
use crate::permission::{living_directory, refuse_flags};
use crate::{Context, Key, Meta, Record, Txn};

#[derive(Debug)]
struct Link {
    context: Context,
    ino: Ino,
    parent: Ino,
    name: Name,
}

impl Meta {
    /// Gives a node that is no directory one more name. From then on its parents are counted apart from its attributes.
    ///
    /// Read set: node, new parent, entry. Write set: entry, node, parent counts, parent times, statistics. Round trips:
    /// one read, one commit.
    ///
    /// # Errors
    /// `NotFound` (node or parent gone, parent in the trash, node without a link left), `NotDirectory`, `AccessDenied`,
    /// `NotPermitted` (a directory, flags of node or parent, a trash directory, a trashed node for others than root),
    /// `Exists`, `TooManyLinks`, `QuotaExceeded`, `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the link made or not.
    pub async fn link(&self, context: &Context, ino: Ino, parent: Ino, name: &Name) -> Result<Attr> {
        self.check_writable()?;
        if name.is_dots() {
            return Err(ErrorKind::Exists.into());
        }
        check_reserved(parent, name)?;
        if parent.is_trash() {
            return Err(ErrorKind::NotPermitted.into());
        }
        let link = Arc::new(Link {
            context: context.clone(),
            ino,
            parent,
            name: name.clone(),
        });
        self.transact("link", move |meta, txn| {
            let link = Arc::clone(&link);
            Box::pin(async move { link.run(meta, txn).await })
        })
        .await
    }
}

impl Link {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Attr> {
        let edge = Key::Edge(self.parent, self.name.clone());
        let keys = [Key::Node(self.ino), Key::Node(self.parent), edge.clone()];
        let mut found = txn.get_locked(&keys).await?;
        let attr = found
            .node()?
            .filter(|attr| attr.nlink > 0)
            .ok_or(ErrorKind::NotFound)?;
        let directory = living_directory(found.node()?)?;
        if attr.is_directory() || (attr.in_trash() && self.context.uid.0 != 0) {
            return Err(ErrorKind::NotPermitted.into());
        }
        meta.check_directory_change(&*txn, &self.context, &directory)
            .await?;
        refuse_flags(&directory, Flags::IMMUTABLE)?;
        refuse_flags(&attr, Flags::IMMUTABLE | Flags::APPEND)?;
        if found.edge()?.is_some() {
            return Err(ErrorKind::Exists.into());
        }
        let now = meta.now();
        let linked = self.count_link(txn, attr, now)?;
        // The volume's counters and its limits know nodes, not names.
        let stat = entry_stat(&linked);
        meta.check_owner(txn, linked.uid, linked.gid, 0, 1).await?;
        meta.check_directories(txn, self.parent, &[], stat.space, 1)
            .await?;
        txn.insert(
            edge,
            Record::Edge(Entry {
                kind: linked.kind,
                ino: self.ino,
            }),
        );
        txn.put(Key::Node(self.ino), Record::Node(linked.clone()));
        meta.account_entry(txn, self.parent, stat).await?;
        let updated = Parent::new(self.parent, directory).store(meta, txn, now);
        meta.log(txn, || {
            let name = escape(self.name.as_bytes());
            format!(
                "LINK({},{},{name},{updated}):{}",
                self.ino, self.parent, linked.nlink
            )
        });
        Ok(linked)
    }

    fn count_link(&self, txn: &mut dyn Txn, mut attr: Attr, now: moorage_model::Timestamp) -> Result<Attr> {
        attr.nlink = attr.nlink.checked_add(1).ok_or(ErrorKind::TooManyLinks)?;
        attr.ctime = now;
        if attr.parent != Ino::NONE {
            txn.add_parent(self.ino, attr.parent, 1);
            attr.parent = Ino::NONE;
        }
        txn.add_parent(self.ino, self.parent, 1);
        Ok(attr)
    }
}
