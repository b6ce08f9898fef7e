//! Backups of the metadata in the object store: when one is due, what it is called, and which are kept
//! (spec 80-dump section 2). Making and storing one is for whoever owns the store.

use std::collections::HashSet;
use std::time::Duration;

use moorage_model::{Counter, Ino, Result};

use crate::calendar::{DAY, UtcTime};
use crate::tasks::jittered;
use crate::{Key, Meta, Record, TxnExt as _};

/// Folder of the backups below the volume's prefix.
pub const BACKUP_FOLDER: &str = "meta/";
/// What the name of a backup begins and ends with.
const NAME: (&str, &str) = ("meta/dump-", ".json.gz");
/// The extended attribute of the root that tells when the last backup began.
const LAST_BACKUP: &[u8] = b"lastBackup";
/// An hourly backup of more inodes than this would take a large part of the hour.
const MOST_INODES_HOURLY: i64 = 1_000_000;
/// Intervals up to this are hourly ones.
const HOURLY: Duration = Duration::from_secs(3600);

/// Looks at whether a backup is due per interval.
const LOOKS: u32 = 10;

/// How long to wait before the next look at whether a backup is due, so that clients look at different times.
pub fn backup_look(interval: Duration) -> Duration {
    jittered(interval / LOOKS)
}

/// Whether this client shall make a backup now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupTurn {
    /// It shall: the others have been told.
    Mine,
    /// The last one is younger than the interval.
    NotDue,
    /// The volume has too many inodes for an interval this short.
    TooLarge,
}

impl Meta {
    /// Claims the next backup if the last one began at least `interval` ago, so that one client of a volume makes it.
    ///
    /// Read set and write set: one extended attribute of the root.
    ///
    /// # Errors
    /// `ReadOnly`; what the engine answers.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the backup claimed: then the next one is due an interval later.
    pub async fn claim_backup(&self, interval: Duration) -> Result<BackupTurn> {
        let inodes = self
            .engine
            .get(&[Key::Counter(Counter::TotalInodes)])
            .await?
            .counter()?;
        if interval <= HOURLY && inodes.unwrap_or(0) > MOST_INODES_HOURLY {
            return Ok(BackupTurn::TooLarge);
        }
        let interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX);
        self.transact("claim backup", move |meta, txn| {
            Box::pin(async move {
                let key = Key::Xattr(Ino::ROOT, LAST_BACKUP.to_vec());
                let last = txn.get_locked(std::slice::from_ref(&key)).await?.xattr()?;
                let now = meta.now().seconds;
                // A time that nobody can read, or of the future, is as good as none.
                let last = last.and_then(|text| UtcTime::from_rfc3339(&text));
                let is_fresh = last.is_some_and(|last| last <= now && now - last < interval);
                if is_fresh {
                    return Ok(BackupTurn::NotDue);
                }
                let text = UtcTime::from_unix(now).rfc3339_seconds();
                meta.log(txn, || format!("SETXATTR({},lastBackup,{text},0)", Ino::ROOT));
                txn.put(key, Record::Xattr(text.into_bytes()));
                Ok(BackupTurn::Mine)
            })
        })
        .await
    }

    /// The name of a backup that begins now, below the volume's prefix.
    pub fn backup_name(&self) -> String {
        let (start, end) = NAME;
        format!(
            "{start}{}{end}",
            UtcTime::from_unix(self.now().seconds).backup_time()
        )
    }

    /// Those of `names` that are kept no longer: of the last two days all are kept, of the last two weeks one of each
    /// day, of the last two months one of each week, of the last two years one of each month; always the earliest.
    /// Names that are no backups are left alone.
    pub fn expired_backups(&self, names: Vec<String>) -> Vec<String> {
        expired(names, self.now().seconds)
    }
}

/// Whether an object of this name, below a volume's prefix, is a backup.
pub fn is_backup(name: &str) -> bool {
    time_of(name).is_some()
}

/// The time in a backup's name, unix seconds.
fn time_of(name: &str) -> Option<i64> {
    let (start, end) = NAME;
    let time = name.strip_prefix(start)?.strip_suffix(end)?;
    UtcTime::from_backup_time(time)
}

/// A span of which the earliest backup is kept.
#[derive(PartialEq, Eq, Hash)]
enum Span {
    Day(i64),
    Week(i64),
    Month(i64, i64),
}

impl Span {
    /// The span of a backup; `None` for one that is too old for any.
    fn of(time: i64, now: i64) -> Option<Span> {
        const WEEK: i64 = 7 * DAY;
        /// The first of January 1970 was a Thursday; weeks begin on Mondays.
        const DAYS_TO_MONDAY: i64 = 3;
        let age = now.saturating_sub(time);
        if age < 2 * WEEK {
            Some(Span::Day(time.div_euclid(DAY)))
        } else if age < 60 * DAY {
            Some(Span::Week((time.div_euclid(DAY) + DAYS_TO_MONDAY).div_euclid(7)))
        } else if age < 2 * 365 * DAY {
            let date = UtcTime::from_unix(time);
            Some(Span::Month(date.year, date.month))
        } else {
            None
        }
    }
}

fn expired(names: Vec<String>, now: i64) -> Vec<String> {
    let mut backups: Vec<(i64, String)> = names
        .into_iter()
        .filter_map(|name| Some((time_of(&name)?, name)))
        .collect();
    backups.sort_unstable();
    let mut kept = HashSet::new();
    backups
        .into_iter()
        .filter(|(time, _)| now.saturating_sub(*time) >= 2 * DAY)
        .filter(|(time, _)| !Span::of(*time, now).is_some_and(|span| kept.insert(span)))
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26, 12:00:00 UTC, a Thursday.
    const NOW: i64 = 1_795_694_400;

    fn named(time: i64) -> String {
        let (start, end) = NAME;
        format!("{start}{}{end}", UtcTime::from_unix(time).backup_time())
    }

    #[test]
    fn a_name_has_the_time_in_it() {
        assert_eq!(named(NOW), "meta/dump-2026-11-26-120000.json.gz");
        assert_eq!(time_of(&named(NOW)), Some(NOW));
        for name in [
            "meta/dump-2026-11-26-120000.json",
            "meta/dump-2026-11-31-120000.json.gz",
            "meta/dump-2026-11-26-126000.json.gz",
            "meta/dump-2026-11-26-1200é0.json.gz",
            "meta/other.json.gz",
            "",
        ] {
            assert_eq!(time_of(name), None, "{name}");
        }
    }

    #[test]
    fn hourly_backups_thin_out_with_age() {
        let hours = 3 * 365 * 24;
        let all: Vec<String> = (0..hours).map(|hour| named(NOW - hour * 3600)).collect();
        let gone: HashSet<String> = expired(all.clone(), NOW).into_iter().collect();
        let kept: Vec<i64> = all
            .iter()
            .filter(|name| !gone.contains(*name))
            .filter_map(|name| time_of(name))
            .collect();
        let between = |from: i64, to: i64| {
            kept.iter()
                .filter(|time| (from..to).contains(&(NOW - **time)))
                .count()
        };
        assert_eq!(between(0, 2 * DAY), 48);
        assert!((12..=13).contains(&between(2 * DAY, 14 * DAY)));
        assert!((6..=8).contains(&between(14 * DAY, 60 * DAY)));
        assert!((22..=24).contains(&between(60 * DAY, 730 * DAY)));
        assert_eq!(between(730 * DAY, i64::MAX), 0);
    }

    #[test]
    fn thinning_out_after_each_backup_leaves_one_in_every_span() {
        let hours = 100 * 24;
        let mut kept: Vec<String> = Vec::new();
        for hour in 0..hours {
            let now = NOW + hour * 3600;
            kept.push(named(now));
            let gone: HashSet<String> = expired(kept.clone(), now).into_iter().collect();
            kept.retain(|name| !gone.contains(name));
        }
        let now = NOW + (hours - 1) * 3600;
        let spans = |times: Vec<i64>| -> HashSet<Span> {
            times.into_iter().filter_map(|time| Span::of(time, now)).collect()
        };
        let wanted = spans((0..hours).map(|hour| NOW + hour * 3600).collect());
        let found = spans(kept.iter().filter_map(|name| time_of(name)).collect());
        // Where days become weeks and weeks months, the earliest of a span that is cut in two is in the other part.
        assert!(wanted.difference(&found).count() <= 2, "{kept:?}");
    }

    #[test]
    fn files_of_others_are_never_named() {
        let others = vec!["meta/notes.txt".to_owned(), "meta/dump-x.json.gz".to_owned()];
        assert!(expired(others, NOW).is_empty());
    }
}
