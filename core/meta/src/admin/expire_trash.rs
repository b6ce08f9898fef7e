//! Emptying the trash: hours older than the volume keeps them (spec 70-semantics section 3).

use moorage_model::{Ino, Name, Result};

use super::damage::{left_out, readable};
use super::pages::Pages;
use super::progress::Progress;
use super::reclaim::ReclaimMode;
use crate::calendar::UtcTime;
use crate::{Key, Meta, Record, Scan};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Seconds that the hourly job waits longer than the trash days say: clients may still fill the hour they know.
pub(super) const GRACE: i64 = 2 * 3600;

/// What the trash of a volume held that was too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrashExpiry {
    /// Hourly directories removed, or found expired by a dry run.
    pub hours: u64,
    /// Entries removed from them; a dry run counts the top level.
    pub entries: u64,
    /// Entries that can not be read, and hours that hold such ones and could not be emptied.
    pub damaged: u64,
}

impl TrashExpiry {
    /// Refuses an answer that damaged records were left out of.
    pub(crate) fn all_readable(self) -> Result<TrashExpiry> {
        match self.damaged {
            0 => Ok(self),
            damaged => Err(left_out("emptying the trash", damaged)),
        }
    }
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
        let (hours, damaged) = self.trash_hours().await?;
        expiry.damaged += damaged;
        for (directory, name) in hours {
            let Some(hour) = UtcTime::from_hour_name(name.as_bytes()) else {
                continue;
            };
            if hour.to_unix() >= before {
                break;
            }
            progress.check()?;
            let start = progress.counts().done;
            if mode == ReclaimMode::DryRun {
                let (entries, damaged) = self.count_entries(directory).await?;
                expiry.entries += entries;
                expiry.damaged += damaged;
            } else {
                let emptied = self.expire_hour(directory, &name, concurrency, progress).await;
                expiry.entries += progress.counts().done.saturating_sub(start);
                if readable(emptied)?.is_none() {
                    expiry.damaged += 1;
                    continue;
                }
            }
            expiry.hours += 1;
        }
        Ok(expiry)
    }

    /// Empties an hour and removes its directory.
    pub(super) async fn expire_hour(
        &self,
        directory: Ino,
        name: &Name,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<()> {
        self.empty_directory(directory, name, concurrency, progress)
            .await?;
        self.purge_directory(Ino::TRASH, name, None).await
    }

    /// The hourly directories in order of their inodes, and the number of those that can not be read. There is one per
    /// hour of the trash days.
    pub(super) async fn trash_hours(&self) -> Result<(Vec<(Ino, Name)>, u64)> {
        let mut hours = Vec::new();
        let mut damaged = 0;
        let mut pages = Pages::new(Scan::Edges(Ino::TRASH));
        while let Some(page) = pages.survey(self).await? {
            damaged += page.damaged.len() as u64;
            hours.extend(page.items.into_iter().filter_map(|item| match item {
                (Key::Edge(_, name), Record::Edge(entry)) => Some((entry.ino, name)),
                _ => None,
            }));
        }
        hours.sort_unstable_by_key(|(ino, _)| *ino);
        Ok((hours, damaged))
    }

    /// Entries of a directory that can be read, and those that can not.
    pub(super) async fn count_entries(&self, directory: Ino) -> Result<(u64, u64)> {
        let (mut entries, mut damaged) = (0, 0);
        let mut pages = Pages::new(Scan::Edges(directory));
        while let Some(page) = pages.survey(self).await? {
            entries += page.items.len() as u64;
            damaged += page.damaged.len() as u64;
        }
        Ok((entries, damaged))
    }
}
