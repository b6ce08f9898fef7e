//! Removal of a whole tree (the command `rmr`).

use async_trait::async_trait;
use moorage_model::{Error, ErrorKind, Ino, Name, NodeType, Result};

use super::progress::Progress;
use super::tree_walk::{TreeVisitor, walk};
use crate::permission::FlagRule;
use crate::usage::QuotasAbove;
use crate::verbs::UnlinkOptions;
use crate::{Context, DirectoryEntry, MAY_EXECUTE, MAY_READ, Meta};

/// Entries removed by one transaction.
const UNLINK_BATCH: usize = 100;

/// How a tree is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveTreeOptions {
    /// Deletes for good, whatever the volume's trash setting. Always so for what lies in the trash.
    pub skip_trash: bool,
    /// Directories at work at once.
    pub concurrency: usize,
}

impl Default for RemoveTreeOptions {
    fn default() -> Self {
        RemoveTreeOptions {
            skip_trash: false,
            concurrency: 10,
        }
    }
}

/// A directory to be removed, by the entry that leads to it.
struct Doomed {
    parent: Ino,
    name: Name,
    ino: Ino,
    /// Quotas that count what happens in `parent`.
    above: QuotasAbove,
    /// Quotas that count what happens in `ino`.
    within: QuotasAbove,
}

struct Remover<'m> {
    meta: &'m Meta,
    context: &'m Context,
    options: UnlinkOptions,
    progress: &'m Progress,
    flags: FlagRule,
    /// Its emptied directory stays.
    kept: Option<Ino>,
}

impl Meta {
    /// Removes an entry and, when it is a directory, everything below it: many files per transaction, several
    /// directories at once, the deepest first. Every entry goes the way that unlink and rmdir take, so to the trash
    /// when the volume has one, and what lies in the trash is deleted for good. An hour of the trash itself is emptied and
    /// stays, until it expires. `progress` counts entries and the bytes they used.
    ///
    /// Memory: see the walk of trees; independent of the size of directories.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for `.` and `..`; `AccessDenied` or `NotPermitted` for the first entry that the caller may not remove (what was
    /// removed before stays removed); `NotEmpty` when somebody makes entries meanwhile; `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of the tree removed; calling again goes on.
    pub async fn remove_tree(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        options: RemoveTreeOptions,
        progress: &Progress,
    ) -> Result<()> {
        if name.is_dots() {
            // They would lead to the folder itself or out of it.
            return Err(ErrorKind::InvalidArgument.into());
        }
        if parent == Ino::ROOT && name.as_bytes() == b".trash" {
            return Err(
                Error::new(ErrorKind::NotPermitted, "the trash itself can not be removed").with_advice(
                    "Remove what lies in it, or turn it off with `moorage config --trash-days 0`.",
                ),
            );
        }
        let (ino, attr) = self.lookup(context, parent, name).await?;
        let skip_trash = options.skip_trash || parent.is_trash() || self.getattr(parent).await?.in_trash();
        let remover = Remover {
            meta: self,
            context,
            options: UnlinkOptions { skip_trash },
            progress,
            flags: FlagRule::Respect,
            kept: (parent == Ino::TRASH).then_some(ino),
        };
        if !attr.is_directory() {
            self.unlink(context, parent, name, remover.options).await?;
            progress.add(1, attr.used_space().unsigned_abs());
            return Ok(());
        }
        self.check_access(context, &attr, MAY_READ | MAY_EXECUTE).await?;
        let above = self.quotas_above(self.engine.as_ref(), parent).await?;
        let root = Doomed {
            parent,
            name: name.clone(),
            ino,
            within: self.quotas_below(&above, ino),
            above,
        };
        walk(self, &remover, root, options.concurrency, progress).await
    }

    /// Deletes everything below a directory for good, whatever its flags, and keeps the directory itself.
    pub(super) async fn empty_directory(
        &self,
        directory: Ino,
        name: &Name,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<()> {
        let context = Context::root();
        let remover = Remover {
            meta: self,
            context: &context,
            options: UnlinkOptions { skip_trash: true },
            progress,
            flags: FlagRule::Ignore,
            kept: Some(directory),
        };
        let within = self.quotas_above(self.engine.as_ref(), directory).await?;
        let root = Doomed {
            parent: Ino::NONE,
            name: name.clone(),
            ino: directory,
            above: within.clone(),
            within,
        };
        walk(self, &remover, root, concurrency, progress).await
    }
}

#[async_trait]
impl TreeVisitor for Remover<'_> {
    type Place = Doomed;

    fn directory(&self, place: &Doomed) -> Ino {
        place.ino
    }

    async fn before_page(&self, place: &mut Doomed) -> Result<()> {
        let reader = self.meta.engine.as_ref();
        place.within = self
            .meta
            .current_quotas(reader, place.ino, Some(&place.within))
            .await?;
        Ok(())
    }

    async fn page(&self, place: &Doomed, entries: Vec<DirectoryEntry>) -> Result<Vec<Doomed>> {
        let entries = DirectoryEntry::all_readable(entries)?;
        let (directories, others): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|item| item.entry.kind == NodeType::Directory);
        self.progress.expect((directories.len() + others.len()) as u64);
        for batch in others.chunks(UNLINK_BATCH) {
            self.progress.check()?;
            let names: Vec<Name> = batch.iter().map(|item| item.name.clone()).collect();
            self.meta
                .unlink_many(
                    self.context,
                    place.ino,
                    names,
                    self.options,
                    self.flags,
                    &place.within,
                )
                .await?;
            let bytes: i64 = batch
                .iter()
                .filter_map(|item| item.attr.as_ref())
                .map(moorage_model::Attr::used_space)
                .sum();
            self.progress.add(batch.len() as u64, bytes.unsigned_abs());
        }
        for item in &directories {
            if let Some(attr) = &item.attr {
                self.meta
                    .check_access(self.context, attr, MAY_READ | MAY_EXECUTE)
                    .await?;
            }
        }
        Ok(directories
            .into_iter()
            .map(|item| Doomed {
                parent: place.ino,
                name: item.name,
                ino: item.entry.ino,
                above: place.within.clone(),
                within: self.meta.quotas_below(&place.within, item.entry.ino),
            })
            .collect())
    }

    async fn leave(&self, place: Doomed) -> Result<()> {
        if self.kept == Some(place.ino) {
            return Ok(());
        }
        let removed = match self.flags {
            FlagRule::Ignore => {
                self.meta
                    .purge_directory(place.parent, &place.name, Some(place.above))
                    .await
            }
            FlagRule::Respect => {
                let quotas = Some(place.above);
                self.meta
                    .rmdir_in(self.context, place.parent, &place.name, self.options, quotas)
                    .await
            }
        };
        match removed {
            // Somebody else was faster.
            Err(error) if error.kind() == moorage_model::ErrorKind::NotFound => Ok(()),
            other => {
                self.progress.add(1, 0);
                other
            }
        }
    }
}
