//! Deleting for good what lies in the trash, before its time.

use std::collections::HashSet;

use moorage_model::{Ino, Name, NodeType, Result};

use super::EntryName;
use super::hour_index::HourIndex;
use crate::admin::expire_trash::GRACE;
use crate::admin::{Pages, Progress, ReclaimMode, RemoveTreeOptions, TrashExpiry, readable};
use crate::calendar::UtcTime;
use crate::permission::FlagRule;
use crate::{Context, Key, Meta, Record, Scan, TxnExt as _, UnlinkOptions};

/// Seconds that an hour collects.
const HOUR: i64 = 3600;
/// Entries deleted by one transaction.
const BATCH: usize = 100;

/// Which hours are emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeScope {
    /// All of them.
    Everything,
    /// Those that were over before this instant (unix seconds), so that nothing goes that was removed later.
    OverBefore(i64),
}

/// What was done for one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPurged {
    /// Its name in the hour.
    pub stored: Name,
    /// It was there, and is deleted for good.
    pub deleted: bool,
    /// Of a folder: what was removed from inside it in the same hour and is deleted too.
    pub below: u64,
}

impl Meta {
    /// Deletes hours of the trash for good, whatever the trash days say. The directories of hours that clients may still
    /// fill (younger than two hours) are emptied and stay. Names that are no hour are passed over.
    ///
    /// # Errors
    /// The first failure; what was deleted before stays deleted. `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of an hour; calling again goes on.
    pub async fn purge_trash(
        &self,
        scope: PurgeScope,
        mode: ReclaimMode,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<TrashExpiry> {
        let filled = self.now().seconds.saturating_sub(GRACE);
        let (hours, damaged) = self.trash_hours().await?;
        let mut purged = TrashExpiry {
            damaged,
            ..TrashExpiry::default()
        };
        for (directory, name) in hours {
            let Some(begins) = UtcTime::from_hour_name(name.as_bytes()).map(UtcTime::to_unix) else {
                continue;
            };
            let meant = match scope {
                PurgeScope::Everything => true,
                PurgeScope::OverBefore(instant) => begins.saturating_add(HOUR) <= instant,
            };
            if !meant {
                continue;
            }
            progress.check()?;
            if mode == ReclaimMode::DryRun {
                let (entries, damaged) = self.count_entries(directory).await?;
                purged.entries += entries;
                purged.damaged += damaged;
                purged.hours += u64::from(entries > 0);
                continue;
            }
            let start = progress.counts().done;
            let emptied = if begins < filled {
                self.expire_hour(directory, &name, concurrency, progress).await
            } else {
                self.empty_directory(directory, &name, concurrency, progress)
                    .await
            };
            let entries = progress.counts().done.saturating_sub(start);
            purged.entries += entries;
            match readable(emptied)? {
                Some(()) => purged.hours += u64::from(entries > 0),
                None => purged.damaged += 1,
            }
        }
        Ok(purged)
    }

    /// Deletes entries of an hour (`YYYY-MM-DD-HH`, UTC) for good; a folder with everything that was removed from inside it
    /// in the same hour, which goes first. `progress` counts entries and the bytes they used.
    ///
    /// Memory: about 400 bytes per folder removed in that hour.
    ///
    /// # Errors
    /// `NotFound` when the trash has no such hour; the first failure of the engine. What was deleted stays deleted.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a part deleted; calling again goes on.
    pub async fn purge_entries(
        &self,
        hour: &str,
        entries: &[Name],
        concurrency: usize,
        progress: &Progress,
    ) -> Result<Vec<EntryPurged>> {
        self.check_writable()?;
        let hour = self.trash_hour(hour).await?;
        let index = self.index_hour(hour).await?;
        progress.expect(entries.len() as u64);
        let mut done = Vec::with_capacity(entries.len());
        for stored in entries {
            progress.check()?;
            let edge = Key::Edge(hour, stored.clone());
            let entry = self.engine.get(&[edge]).await?.edge()?;
            let mut below = 0;
            if let Some(entry) = entry {
                if entry.kind == NodeType::Directory {
                    below = self.purge_below(&index, entry.ino, concurrency, progress).await?;
                }
                self.purge_one(hour, stored, concurrency, progress).await?;
            }
            done.push(EntryPurged {
                stored: stored.clone(),
                deleted: entry.is_some(),
                below,
            });
        }
        Ok(done)
    }

    async fn purge_one(
        &self,
        hour: Ino,
        stored: &Name,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<()> {
        let options = RemoveTreeOptions {
            skip_trash: true,
            concurrency,
        };
        self.remove_tree(&Context::root(), hour, stored, options, progress)
            .await
    }

    /// Deletes what was removed from inside a folder, the innermost folders last but before those they were in.
    async fn purge_below(
        &self,
        index: &HourIndex,
        folder: Ino,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<u64> {
        let directories = index.directories_below(folder);
        progress.expect(index.entries_below(folder));
        let folders: HashSet<Ino> = directories.iter().copied().chain([folder]).collect();
        let mut purged = self.purge_others(index.hour, &folders, progress).await?;
        for ino in directories.into_iter().rev() {
            progress.check()?;
            if let Some(directory) = index.directory(ino) {
                self.purge_one(index.hour, &directory.stored, concurrency, progress)
                    .await?;
                purged += 1;
            }
        }
        Ok(purged)
    }

    /// Deletes what is no folder and was in one of these.
    async fn purge_others(&self, hour: Ino, folders: &HashSet<Ino>, progress: &Progress) -> Result<u64> {
        let context = Context::root();
        let quotas = self.quotas_above(self.engine.as_ref(), hour).await?;
        let mut purged = 0;
        let mut pages = Pages::new(Scan::Edges(hour));
        while let Some(page) = pages.survey(self).await? {
            let names: Vec<Name> = page
                .items
                .into_iter()
                .filter_map(|item| match item {
                    (Key::Edge(_, stored), Record::Edge(entry)) if entry.kind != NodeType::Directory => {
                        let name = EntryName::parse(&stored)?;
                        folders.contains(&name.old_parent).then_some(stored)
                    }
                    _ => None,
                })
                .collect();
            for batch in names.chunks(BATCH) {
                progress.check()?;
                let options = UnlinkOptions { skip_trash: true };
                let removed = self
                    .unlink_many(
                        &context,
                        hour,
                        batch.to_vec(),
                        options,
                        FlagRule::Respect,
                        &quotas,
                    )
                    .await? as u64;
                progress.add(removed, 0);
                purged += removed;
            }
        }
        Ok(purged)
    }
}
