//! rmdir.

use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Flags, Ino, Name, NodeType, Result};

use super::parent::{Parent, check_reserved};
use super::removal::{Fate, Removal};
use super::unlink::UnlinkOptions;
use crate::changelog::escape;
use crate::permission::{FlagRule, check_out_of_trash, check_sticky, directory};
use crate::usage::QuotasAbove;
use crate::{Context, Key, Meta, ReadSet, Txn, Verb};

#[derive(Debug)]
struct RemoveDirectory {
    context: Context,
    parent: Ino,
    name: Name,
    trash: Option<Ino>,
    flags: FlagRule,
    /// Of the parent, when known.
    quotas: Option<QuotasAbove>,
}

impl Meta {
    /// Removes an empty directory, to the trash when the volume has one.
    ///
    /// Read set: parent, entry, node, and its being empty, so that no entry can appear in it at the same time. Write
    /// set: entry, node or its deletion, trash entry, parent, statistics and quota of the directory, usage. Round
    /// trips: one read, one commit; a second read where emptiness does not come with the entry.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `NotEmpty` (also for `..`), `InvalidArgument` for `.`, `AccessDenied` (also by the
    /// sticky bit), `NotPermitted` (flags of the parent, hourly trash directories, `.trash`), `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the directory removed or not.
    pub async fn rmdir(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        options: UnlinkOptions,
    ) -> Result<()> {
        self.rmdir_in(context, parent, name, options, None).await
    }

    /// As [`Meta::rmdir`] for those who know which quotas count what happens in `parent`.
    pub(crate) async fn rmdir_in(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        options: UnlinkOptions,
        quotas: Option<QuotasAbove>,
    ) -> Result<()> {
        self.check_writable()?;
        match name.as_bytes() {
            b"." => return Err(ErrorKind::InvalidArgument.into()),
            b".." => return Err(ErrorKind::NotEmpty.into()),
            _ => check_reserved(parent, name)?,
        }
        if parent == Ino::TRASH {
            return Err(ErrorKind::NotPermitted.into());
        }
        check_out_of_trash(context, parent)?;
        let trash = self.trash_for(parent, options).await?;
        self.remove_directory(RemoveDirectory {
            context: context.clone(),
            parent,
            name: name.clone(),
            trash,
            flags: FlagRule::Respect,
            quotas,
        })
        .await
    }

    /// Removes an empty directory for good, whatever its flags, also an hourly one of the trash. No caller of a door
    /// may do that; it is for emptying the trash and for clones that were never attached. `quotas` are those of the
    /// parent, when known.
    pub(crate) async fn purge_directory(
        &self,
        parent: Ino,
        name: &Name,
        quotas: Option<QuotasAbove>,
    ) -> Result<()> {
        self.remove_directory(RemoveDirectory {
            context: Context::root(),
            parent,
            name: name.clone(),
            trash: None,
            flags: FlagRule::Ignore,
            quotas,
        })
        .await
    }

    async fn remove_directory(&self, removal: RemoveDirectory) -> Result<()> {
        let removal = Arc::new(removal);
        self.transact(Verb::removal("rmdir"), move |meta, txn| {
            let removal = Arc::clone(&removal);
            Box::pin(async move { removal.run(meta, txn).await })
        })
        .await
        .map(drop)
    }
}

impl RemoveDirectory {
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
        self.flags.check(&parent_attr, Flags::IMMUTABLE | Flags::APPEND)?;
        let (entry, attr) = found.child().ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        if entry.kind != NodeType::Directory {
            return Err(ErrorKind::NotDirectory.into());
        }
        if !txn.lock_is_empty(entry.ino).await? {
            return Err(ErrorKind::NotEmpty.into());
        }
        if let Some(attr) = &attr {
            check_sticky(&self.context, &parent_attr, attr)?;
        }
        let now = meta.now();
        let quotas = meta
            .current_quotas(&*txn, self.parent, self.quotas.as_ref())
            .await?;
        let removal = Removal {
            parent: self.parent,
            name: &self.name,
            limited: quotas.directories(),
            entry,
            attr,
            trash: self.trash,
            replaced: false,
        };
        let fate = removal.run(meta, txn, now).await?;
        let mut parent = Parent::new(self.parent, parent_attr);
        parent.lose(NodeType::Directory);
        parent.store(meta, txn, now);
        meta.log(txn, || {
            format!(
                "RMDIR({},{},{}):{}",
                self.parent,
                escape(self.name.as_bytes()),
                fate.trash(),
                entry.ino
            )
        });
        Ok(fate)
    }
}
