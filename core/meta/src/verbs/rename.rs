//! rename.

use std::sync::Arc;

use moorage_model::{Attr, Error, ErrorKind, Ino, Name, Result};

use super::parent::check_reserved;
use super::rename_plan::{Move, Place};
use super::unlink::UnlinkOptions;
use crate::permission::check_out_of_trash;
use crate::usage::{Counting, SubtreeUsage};
use crate::{Context, Meta};

/// How a rename treats its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameFlags {
    /// Fails when the target exists.
    pub no_replace: bool,
    /// Swaps source and target.
    pub exchange: bool,
    /// Allows a destination inside a trashed directory, as the restore command needs it.
    pub restore: bool,
}

impl RenameFlags {
    /// The number in a changelog line: Linux's bits and 32 for restore.
    pub(super) fn bits(self) -> u32 {
        u32::from(self.no_replace) + 2 * u32::from(self.exchange) + 32 * u32::from(self.restore)
    }
}

impl Meta {
    /// Moves or renames a node, replaces the target as unlink and rmdir would (to the trash when the volume has one), or
    /// swaps the two. Returns the moved node. A rename onto itself, or onto another link of the same node, does nothing.
    ///
    /// Read set: both parents, both entries, both nodes, emptiness of a replaced directory, and for a directory that
    /// changes its parent the whole chain above the new one, so that no two clients can move directories into each
    /// other. Write set: both entries, moved node, parents, the removal of the target, statistics, quotas. Round trips:
    /// one read, one commit; up to two reads more for a directory that changes its parent or replaces one.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `IsDirectory`, `NotEmpty`, `Exists`, `AccessDenied` (also by sticky bits),
    /// `NotPermitted` (flags, trash, a directory into itself or below itself), `InvalidArgument` for flags that
    /// contradict each other or for `.` and `..`, `QuotaExceeded`, `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the rename done or not, never half.
    pub async fn rename(
        &self,
        context: &Context,
        source: (Ino, &Name),
        target: (Ino, &Name),
        flags: RenameFlags,
    ) -> Result<(Ino, Attr)> {
        self.check_writable()?;
        check_arguments(context, source, target, flags)?;
        if source == target {
            return self.rename_onto_itself(context, source, flags).await;
        }
        // What an exchange swaps is never removed.
        let skip_trash = flags.exchange || flags.restore;
        let trash = self.trash_for(target.0, UnlinkOptions { skip_trash }).await?;
        let subtrees = self.moved_subtrees(source, target, flags).await?;
        let crosses_quotas = !subtrees.is_empty();
        let place = |(parent, name): (Ino, &Name)| Place {
            parent,
            name: name.clone(),
        };
        let plan = Arc::new(Move {
            context: context.clone(),
            source: place(source),
            target: place(target),
            flags,
            trash,
            subtrees,
        });
        let moved = self
            .transact("rename", move |meta, txn| {
                let plan = Arc::clone(&plan);
                Box::pin(async move { plan.run(meta, txn).await })
            })
            .await?;
        if crosses_quotas {
            self.caches.usage.note_layout();
        }
        if let Some(fate) = moved.replaced {
            self.after_removal(fate);
        }
        Ok((moved.ino, moved.attr))
    }

    async fn rename_onto_itself(
        &self,
        context: &Context,
        source: (Ino, &Name),
        flags: RenameFlags,
    ) -> Result<(Ino, Attr)> {
        let found = self.lookup(context, source.0, source.1).await?;
        if flags.no_replace {
            Err(ErrorKind::Exists.into())
        } else {
            Ok(found)
        }
    }

    /// Usage of the directories that are about to move between quotas, added up before the transaction so that a large
    /// tree does not keep it open.
    async fn moved_subtrees(
        &self,
        source: (Ino, &Name),
        target: (Ino, &Name),
        flags: RenameFlags,
    ) -> Result<Vec<SubtreeUsage>> {
        let engine = self.engine.as_ref();
        if source.0 == target.0 || !self.crosses_quotas(engine, source.0, target.0).await? {
            return Ok(Vec::new());
        }
        let mut subtrees = Vec::new();
        for (parent, name) in [Some(source), flags.exchange.then_some(target)]
            .into_iter()
            .flatten()
        {
            if let Some((entry, Some(attr))) = engine.lookup(parent, name).await?
                && attr.is_directory()
            {
                let usage = self
                    .subtree_usage(engine, entry.ino, Counting::Statistics)
                    .await?;
                subtrees.push(usage);
            }
        }
        Ok(subtrees)
    }
}

fn check_arguments(
    context: &Context,
    source: (Ino, &Name),
    target: (Ino, &Name),
    flags: RenameFlags,
) -> Result<()> {
    if source.1.is_dots() || target.1.is_dots() || (flags.exchange && (flags.no_replace || flags.restore)) {
        return Err(Error::from(ErrorKind::InvalidArgument));
    }
    check_reserved(source.0, source.1)?;
    check_reserved(target.0, target.1)?;
    check_out_of_trash(context, source.0)?;
    if target.0.is_trash() {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}
