//! Putting removed trees together again (the command `restore`; spec 70-semantics section 3).

use std::collections::{HashMap, HashSet};

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use moorage_model::{Attr, ErrorKind, Ino, Name, NodeType, Result};
use parking_lot::Mutex;

use super::pages::Pages;
use super::progress::Progress;
use super::trash::EntryName;
use crate::verbs::RenameFlags;
use crate::{Context, Key, MAX_PATH_DEPTH, Meta, Record, Scan, TxnExt as _};

/// How an hour of the trash is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Moves what was removed back to its old directory. Otherwise the removed trees are only put together inside the
    /// trash, where the directories that were removed get their entries back.
    pub put_back: bool,
    /// Entries moved at once.
    pub concurrency: usize,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        RestoreOptions {
            put_back: false,
            concurrency: 10,
        }
    }
}

/// What a restore did with the entries of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Moved into a directory that was removed in the same hour, or lies in such a one.
    pub rebuilt: u64,
    /// Moved back to their old directory.
    pub put_back: u64,
    /// Left where they are: their old directory is gone, in another hour of the trash, or nobody asked for it.
    pub left: u64,
    /// Left because the old directory has an entry of that name now.
    pub name_taken: u64,
    /// Left because a quota of the old place, or the volume's own limit, is too small.
    pub over_quota: u64,
}

impl Restored {
    fn plus(self, other: Restored) -> Restored {
        Restored {
            rebuilt: self.rebuilt + other.rebuilt,
            put_back: self.put_back + other.put_back,
            left: self.left + other.left,
            name_taken: self.name_taken + other.name_taken,
            over_quota: self.over_quota + other.over_quota,
        }
    }
}

/// Where a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    /// In the tree.
    Tree,
    /// In the trash, somewhere below this hour.
    Trash(Ino),
    /// In neither: it does not exist, or nothing leads up from it.
    Gone,
}

/// One run over an hour.
struct Restore<'m> {
    meta: &'m Meta,
    context: &'m Context,
    hour: Ino,
    removed: HashSet<Ino>,
    /// Where other directories are that entries came from.
    others: Mutex<HashMap<Ino, Whereabouts>>,
    put_back: bool,
}

impl Meta {
    /// Restores what was removed in an hour (`YYYY-MM-DD-HH`, UTC). Names that were cut to 255 bytes in the trash come
    /// back cut. Directories get their statistics counted again.
    ///
    /// Memory: 16 bytes per directory removed in that hour, 32 per other directory that something was removed from.
    ///
    /// # Errors
    /// `NotFound` when the trash has no such hour, `InvalidArgument` or `NameTooLong` when it can have none of that name;
    /// `NotPermitted` unless the caller is root; the first failure of the engine. Entries restored before stay so.
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of the hour restored; calling again goes on.
    pub async fn restore_trash(
        &self,
        context: &Context,
        hour: &str,
        options: RestoreOptions,
        progress: &Progress,
    ) -> Result<Restored> {
        self.check_writable()?;
        let hour_directory = self.trash_hour(hour).await?;
        let restore = Restore {
            meta: self,
            context,
            hour: hour_directory,
            removed: self.removed_directories(hour_directory, progress).await?,
            others: Mutex::default(),
            put_back: options.put_back,
        };
        let restored = restore.run(options.concurrency.max(1), progress).await?;
        if self.setting().dir_stats {
            for directory in restore.removed {
                self.recount_directory(directory).await?;
            }
        }
        Ok(restored)
    }

    async fn removed_directories(&self, hour: Ino, progress: &Progress) -> Result<HashSet<Ino>> {
        let mut removed = HashSet::new();
        let mut pages = Pages::new(Scan::Edges(hour));
        while let Some(items) = pages.next(self).await? {
            progress.check()?;
            progress.expect(items.len() as u64);
            removed.extend(items.into_iter().filter_map(|(_, record)| match record {
                Record::Edge(entry) if entry.kind == NodeType::Directory => Some(entry.ino),
                _ => None,
            }));
        }
        Ok(removed)
    }
}

impl Restore<'_> {
    async fn run(&self, concurrency: usize, progress: &Progress) -> Result<Restored> {
        let mut restored = Restored::default();
        let mut pages = Pages::new(Scan::Edges(self.hour));
        while let Some(items) = pages.next(self.meta).await? {
            progress.check()?;
            let names: Vec<Name> = items
                .into_iter()
                .filter_map(|(key, _)| match key {
                    Key::Edge(_, name) => Some(name),
                    _ => None,
                })
                .collect();
            let count = names.len() as u64;
            restored = futures_util::stream::iter(names)
                .map(|name| self.restore(name))
                .buffer_unordered(concurrency)
                .try_fold(restored, |sum, one| async move { Ok(sum.plus(one)) })
                .await?;
            progress.add(count, 0);
        }
        Ok(restored)
    }

    async fn restore(&self, stored: Name) -> Result<Restored> {
        let left = Restored {
            left: 1,
            ..Restored::default()
        };
        let Some(entry) = EntryName::parse(&stored) else {
            return Ok(left);
        };
        let rebuild = match self.whereabouts(entry.old_parent).await? {
            Whereabouts::Trash(hour) if hour == self.hour => true,
            Whereabouts::Tree if self.put_back => false,
            _ => return Ok(left),
        };
        let flags = RenameFlags {
            no_replace: true,
            restore: true,
            ..RenameFlags::default()
        };
        let moved = self
            .meta
            .rename(
                self.context,
                (self.hour, &stored),
                (entry.old_parent, &entry.old_name),
                flags,
            )
            .await;
        match moved {
            Ok(_) if rebuild => Ok(Restored {
                rebuilt: 1,
                ..Restored::default()
            }),
            Ok(_) => Ok(Restored {
                put_back: 1,
                ..Restored::default()
            }),
            Err(error) if error.kind() == ErrorKind::Exists => Ok(Restored {
                name_taken: 1,
                ..Restored::default()
            }),
            Err(error) if matches!(error.kind(), ErrorKind::QuotaExceeded | ErrorKind::NoSpace) => {
                Ok(Restored {
                    over_quota: 1,
                    ..Restored::default()
                })
            }
            // The directory or the entry went away meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(left),
            Err(error) => Err(error.context(format!("restoring {stored}"))),
        }
    }

    /// Where a directory is. Round trips: none for one that was removed by itself; one per directory on the way up for
    /// another, the first time.
    async fn whereabouts(&self, directory: Ino) -> Result<Whereabouts> {
        if self.removed.contains(&directory) {
            return Ok(Whereabouts::Trash(self.hour));
        }
        let known = self.others.lock().get(&directory).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.look_upwards(directory).await?;
        self.others.lock().insert(directory, found);
        Ok(found)
    }

    /// A directory that an earlier run moved into a removed one is in the trash with that.
    async fn look_upwards(&self, directory: Ino) -> Result<Whereabouts> {
        let mut current = directory;
        for _ in 0..=MAX_PATH_DEPTH {
            if current == Ino::ROOT {
                return Ok(Whereabouts::Tree);
            }
            if self.removed.contains(&current) {
                return Ok(Whereabouts::Trash(self.hour));
            }
            let attr = self.meta.engine.get(&[Key::Node(current)]).await?.node()?;
            match attr.filter(Attr::is_directory) {
                Some(attr) if attr.in_trash() => return Ok(Whereabouts::Trash(attr.parent)),
                Some(attr) => current = attr.parent,
                None => return Ok(Whereabouts::Gone),
            }
        }
        Ok(Whereabouts::Gone)
    }
}
