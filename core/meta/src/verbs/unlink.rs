//! unlink.

use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Flags, Ino, Name, NodeType, Result};

use super::parent::{Parent, check_reserved};
use super::removal::{Fate, Removal};
use crate::changelog::escape;
use crate::permission::{check_out_of_trash, check_sticky, directory, refuse_flags};
use crate::{Context, Key, Meta, ReadSet, Txn, Verb};

/// How a node is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnlinkOptions {
    /// Deletes for good, whatever the volume's trash setting.
    pub skip_trash: bool,
}

#[derive(Debug)]
struct Unlink {
    context: Context,
    parent: Ino,
    name: Name,
    trash: Option<Ino>,
}

impl Meta {
    /// Removes the entry of a node that is no directory, to the trash when the volume has one. The last link really
    /// removed deletes the node; its data goes in the background, or after the last close when this client has it open
    /// (spec 70-semantics sections 3, 4 and 6).
    ///
    /// Read set: parent, entry, node; the trash entry of a hard link. Write set: entry, node or its deletion, trash
    /// entry or deleted-file or sustained record, parent times, statistics, usage. Round trips: one read, one commit; one
    /// more for a hard link that goes to the trash.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `AccessDenied` (also by the sticky bit), `NotPermitted` (a directory, flags of the
    /// parent or node, a trash directory for others than root), `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the entry removed or not; data not removed then is left to the hourly job.
    pub async fn unlink(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        options: UnlinkOptions,
    ) -> Result<()> {
        self.check_writable()?;
        check_reserved(parent, name)?;
        if name.is_dots() {
            return Err(ErrorKind::NotPermitted.into());
        }
        check_out_of_trash(context, parent)?;
        let trash = self.trash_for(parent, options).await?;
        let unlink = Arc::new(Unlink {
            context: context.clone(),
            parent,
            name: name.clone(),
            trash,
        });
        let fate = self
            .transact(Verb::removal("unlink"), move |meta, txn| {
                let unlink = Arc::clone(&unlink);
                Box::pin(async move { unlink.run(meta, txn).await })
            })
            .await?;
        self.after_removal(fate);
        Ok(())
    }

    /// Where a removal from this directory goes: nowhere when it is a trash directory itself.
    pub(super) async fn trash_for(&self, parent: Ino, options: UnlinkOptions) -> Result<Option<Ino>> {
        if options.skip_trash || parent.is_trash() {
            Ok(None)
        } else {
            self.trash_directory().await
        }
    }
}

impl Unlink {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Fate> {
        let mut found = txn
            .lock_set(ReadSet {
                keys: &[Key::Node(self.parent)],
                children: &[(self.parent, &self.name)],
                range: None,
            })
            .await?;
        let parent_attr = directory(found.records.node()?)?;
        meta.check_directory_change(&*txn, &self.context, &parent_attr)
            .await?;
        refuse_flags(&parent_attr, Flags::IMMUTABLE | Flags::APPEND)?;
        let (entry, attr) = found.child().ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        if entry.kind == NodeType::Directory {
            return Err(ErrorKind::NotPermitted.into());
        }
        if let Some(attr) = &attr {
            refuse_flags(attr, Flags::IMMUTABLE | Flags::APPEND)?;
            check_sticky(&self.context, &parent_attr, attr)?;
        }
        let now = meta.now();
        let limited = meta.quota_directories(&*txn, self.parent).await?;
        let removal = Removal {
            parent: self.parent,
            name: &self.name,
            limited: &limited,
            entry,
            attr,
            trash: self.trash,
            replaced: false,
        };
        let fate = removal.run(meta, txn, now).await?;
        let updated = Parent::new(self.parent, parent_attr).store(meta, txn, now);
        meta.log(txn, || {
            unlink_line(self.parent, &self.name, &fate, updated, entry.ino)
        });
        Ok(fate)
    }
}

/// Line of the changelog for one removed entry.
pub(super) fn unlink_line(parent: Ino, name: &Name, fate: &Fate, parent_updated: bool, ino: Ino) -> String {
    format!(
        "UNLINK({parent},{},{},{},{parent_updated}):{ino}",
        escape(name.as_bytes()),
        fate.trash(),
        fate.is_sustained()
    )
}
