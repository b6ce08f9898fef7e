//! unlink of many entries of one directory.

use std::collections::HashSet;
use std::sync::Arc;

use moorage_model::{Flags, Ino, Name, NodeType, Result};

use super::parent::{Parent, check_reserved};
use super::removal::{Fate, Removal};
use super::unlink::{UnlinkOptions, unlink_line};
use crate::permission::{FlagRule, check_out_of_trash, check_sticky, directory};
use crate::usage::QuotasAbove;
use crate::{Context, Key, Meta, ReadSet, Txn, Verb};

#[derive(Debug)]
struct UnlinkMany {
    context: Context,
    parent: Ino,
    names: Vec<Name>,
    trash: Option<Ino>,
    flags: FlagRule,
    quotas: QuotasAbove,
}

impl Meta {
    /// Removes several entries of one directory in one transaction, each as [`Meta::unlink`] would. Entries that are
    /// gone and directories are passed over. `quotas` are those of the directory. Returns how many were removed.
    ///
    /// Read set: parent, entries, nodes. Round trips: one read, one more per further name of the same node and per hard
    /// link that goes to the trash, one commit.
    ///
    /// # Errors
    /// As [`Meta::unlink`] for the first entry that can not be removed; none is removed then.
    pub(crate) async fn unlink_many(
        &self,
        context: &Context,
        parent: Ino,
        names: Vec<Name>,
        options: UnlinkOptions,
        flags: FlagRule,
        quotas: &QuotasAbove,
    ) -> Result<usize> {
        for name in &names {
            check_reserved(parent, name)?;
        }
        check_out_of_trash(context, parent)?;
        let trash = self.trash_for(parent, options).await?;
        let unlink = Arc::new(UnlinkMany {
            context: context.clone(),
            parent,
            names,
            trash,
            flags,
            quotas: quotas.clone(),
        });
        let fates = self
            .transact(Verb::removal("unlink many"), move |meta, txn| {
                let unlink = Arc::clone(&unlink);
                Box::pin(async move { unlink.run(meta, txn).await })
            })
            .await?;
        let removed = fates.len();
        for fate in fates {
            self.after_removal(fate);
        }
        Ok(removed)
    }
}

impl UnlinkMany {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Vec<Fate>> {
        let children: Vec<(Ino, &Name)> = self.names.iter().map(|name| (self.parent, name)).collect();
        let mut found = txn
            .lock_set(ReadSet {
                keys: &[Key::Node(self.parent)],
                children: &children,
                range: None,
            })
            .await?;
        let parent_attr = directory(found.records.node()?)?;
        meta.check_directory_change(&*txn, &self.context, &parent_attr)
            .await?;
        self.flags.check(&parent_attr, Flags::IMMUTABLE | Flags::APPEND)?;
        let quotas = meta
            .current_quotas(&*txn, self.parent, Some(&self.quotas))
            .await?;
        let now = meta.now();
        let mut fates = Vec::with_capacity(self.names.len());
        let mut removed = Vec::with_capacity(self.names.len());
        let mut inos = HashSet::with_capacity(self.names.len());
        for (name, child) in self.names.iter().zip(found.children) {
            let child = match child {
                // Another name of the same node: what was read is older than its removal here.
                Some((entry, _)) if !inos.insert(entry.ino) => txn.lock_child(self.parent, name).await?,
                child => child,
            };
            let Some((entry, attr)) = child else {
                continue;
            };
            if entry.kind == NodeType::Directory {
                continue;
            }
            if let Some(attr) = &attr {
                self.flags.check(attr, Flags::IMMUTABLE | Flags::APPEND)?;
                check_sticky(&self.context, &parent_attr, attr)?;
            }
            let removal = Removal {
                parent: self.parent,
                name,
                limited: quotas.directories(),
                entry,
                attr,
                trash: self.trash,
                replaced: false,
            };
            fates.push(removal.run(meta, txn, now).await?);
            removed.push((name, entry.ino));
        }
        if fates.is_empty() {
            return Ok(fates);
        }
        let updated = Parent::new(self.parent, parent_attr).store(meta, txn, now);
        for ((name, ino), fate) in removed.into_iter().zip(&fates) {
            meta.log(txn, || unlink_line(self.parent, name, fate, updated, ino));
        }
        Ok(fates)
    }
}
