//! The hours of the trash.

use moorage_model::{Ino, Name, Result};

use crate::admin::readable;
use crate::calendar::UtcTime;
use crate::{Key, Meta, TxnExt as _};

/// Statistics read in one round trip.
const BATCH: usize = 1000;

/// An hour in which something was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashHour {
    /// Its name in `.trash`: `YYYY-MM-DD-HH` in UTC, unless somebody renamed it.
    pub name: Name,
    /// When it began (unix seconds); `None` when its name tells no time.
    pub begins: Option<i64>,
    /// What lies in it by the statistics of its directory, which may drift; `None` when nobody keeps them.
    pub content: Option<HourContent>,
}

/// What the statistics of an hour say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourContent {
    /// Entries, each file and folder of a removed tree counted.
    pub entries: u64,
    /// Bytes that they take, in pages of 4 KiB.
    pub bytes: u64,
}

/// The hours of the trash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrashHours {
    /// The newest first.
    pub hours: Vec<TrashHour>,
    /// Those that can not be read.
    pub damaged: u64,
}

impl Meta {
    /// The hours of the trash, those of which everything was brought back too, until they expire.
    ///
    /// Memory: about 400 bytes per hour of the trash days. Round trips: one per thousand hours, and as many for what is in them.
    ///
    /// # Errors
    /// What the engine answers, except for damaged records.
    pub async fn list_trash_hours(&self) -> Result<TrashHours> {
        let (found, damaged) = self.trash_hours().await?;
        let mut hours = Vec::with_capacity(found.len());
        for batch in found.chunks(BATCH) {
            let contents = self.contents_of(batch).await?;
            hours.extend(batch.iter().zip(contents).map(|((_, name), content)| TrashHour {
                begins: UtcTime::from_hour_name(name.as_bytes()).map(UtcTime::to_unix),
                name: name.clone(),
                content,
            }));
        }
        hours.sort_by(|one, other| (other.begins, &other.name).cmp(&(one.begins, &one.name)));
        Ok(TrashHours { hours, damaged })
    }

    async fn contents_of(&self, hours: &[(Ino, Name)]) -> Result<Vec<Option<HourContent>>> {
        if !self.setting().dir_stats {
            return Ok(vec![None; hours.len()]);
        }
        let keys: Vec<Key> = hours.iter().map(|(ino, _)| Key::DirStat(*ino)).collect();
        let Some(mut found) = readable(self.engine.get(&keys).await)? else {
            return Ok(vec![None; hours.len()]);
        };
        hours
            .iter()
            .map(|_| {
                let stat = readable(found.dir_stat())?.flatten();
                Ok(stat.and_then(|stat| {
                    Some(HourContent {
                        entries: u64::try_from(stat.inodes).ok()?,
                        bytes: u64::try_from(stat.space).ok()?,
                    })
                }))
            })
            .collect()
    }
}
