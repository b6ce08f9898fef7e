//! Emptying the trash: hours older than the volume keeps them (spec 70-semantics section 3).

use moorage_model::{Ino, Name, Result};

use super::progress::Progress;
use super::reclaim::ReclaimMode;
use crate::calendar::UtcTime;
use crate::{Key, Meta, Record, Scan};

/// Hourly directories read per page.
const HOUR_PAGE: usize = 1000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Seconds that the hourly job waits longer than the trash days say: clients may still fill the hour they know.
const GRACE: i64 = 2 * 3600;

/// What the trash of a volume held that was too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrashExpiry {
    /// Hourly directories removed, or found expired by a dry run.
    pub hours: u64,
    /// Entries removed from them; a dry run counts the top level.
    pub entries: u64,
}

impl Meta {
    /// The instant (unix seconds) before which the hourly job expires trash: two hours more than the trash days.
    pub fn trash_expiry(&self) -> i64 {
        self.delayed_slice_expiry().saturating_sub(GRACE)
    }

    /// The instant (unix seconds) before which replaced slices have been kept long enough: the trash days.
    pub fn delayed_slice_expiry(&self) -> i64 {
        let days = i64::from(self.setting().trash_days);
        self.now().seconds.saturating_sub(days.saturating_mul(DAY))
    }

    /// Deletes for good what was removed in hours before `before` (unix seconds), in order of the directories'
    /// inodes, up to the first hour that is younger. An hour that clients may still fill (younger than two hours)
    /// stays whatever `before` says. Names that are no hour are passed over.
    ///
    /// # Errors
    /// The first failure; what was deleted before stays deleted. `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of an hour; calling again goes on.
    pub async fn expire_trash(
        &self,
        before: i64,
        mode: ReclaimMode,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<TrashExpiry> {
        let before = before.min(self.now().seconds.saturating_sub(GRACE));
        let mut expiry = TrashExpiry::default();
        for (directory, name) in self.trash_hours().await? {
            let Some(hour) = UtcTime::from_hour_name(name.as_bytes()) else {
                continue;
            };
            if hour.to_unix() >= before {
                break;
            }
            progress.check()?;
            let start = progress.counts().done;
            if mode == ReclaimMode::DryRun {
                expiry.entries += self.count_entries(directory).await?;
            } else {
                self.empty_directory(directory, &name, concurrency, progress)
                    .await?;
                self.purge_directory(Ino::TRASH, &name).await?;
                expiry.entries += progress.counts().done.saturating_sub(start);
            }
            expiry.hours += 1;
        }
        Ok(expiry)
    }

    /// The hourly directories in order of their inodes. There is one per hour of the trash days.
    pub(super) async fn trash_hours(&self) -> Result<Vec<(Ino, Name)>> {
        let mut hours = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::Edges(Ino::TRASH), after.as_ref(), HOUR_PAGE)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            hours.extend(page.items.into_iter().filter_map(|item| match item {
                (Key::Edge(_, name), Record::Edge(entry)) => Some((entry.ino, name)),
                _ => None,
            }));
            if !page.more || after.is_none() {
                break;
            }
        }
        hours.sort_unstable_by_key(|(ino, _)| *ino);
        Ok(hours)
    }

    async fn count_entries(&self, directory: Ino) -> Result<u64> {
        let mut count = 0;
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::Edges(directory), after.as_ref(), HOUR_PAGE)
                .await?;
            count += page.items.len() as u64;
            after = page.items.last().map(|(key, _)| key.clone());
            if !page.more || after.is_none() {
                return Ok(count);
            }
        }
    }
}
