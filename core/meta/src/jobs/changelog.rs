//! Trimming the changelog (spec 70-semantics sections 2 and 14).

use moorage_model::Result;

use crate::{Key, Meta, Record, Scan, Verb};

/// Lines removed per transaction.
const BATCH: usize = 1000;

impl Meta {
    /// Removes lines that are older, or more, than the setting keeps. Does nothing on a volume without changelog.
    ///
    /// # Errors
    /// What the engine answers; lines removed before stay removed.
    pub async fn trim_changelog(&self) -> Result<()> {
        let setting = self.setting();
        if !setting.change_log {
            return Ok(());
        }
        let oldest = match setting.change_log_max_age {
            0 => i64::MIN,
            age => self.now().seconds.saturating_sub(age),
        };
        let first_kept = match u64::try_from(setting.change_log_max_lines).unwrap_or(0) {
            0 => 0,
            lines => (self.last_line().await? + 1).saturating_sub(lines),
        };
        loop {
            let page = self.engine.scan(&Scan::Changelog, None, BATCH).await?;
            let stale: Vec<Key> = page
                .items
                .iter()
                .take_while(|(key, record)| {
                    *key < Key::ChangelogLine(first_kept) || written(record).is_some_and(|at| at < oldest)
                })
                .map(|(key, _)| key.clone())
                .collect();
            let all = stale.len() == page.items.len();
            if stale.is_empty() {
                return Ok(());
            }
            self.transact(Verb::removal("trim changelog"), move |_, txn| {
                for key in &stale {
                    txn.delete(key.clone());
                }
                Box::pin(async { Ok(()) })
            })
            .await?;
            if !all || !page.more {
                return Ok(());
            }
        }
    }

    /// The version of the youngest line, 0 without one. Versions grow from line to line but may have gaps, and no
    /// engine reads backwards, so it is searched for in doubling and halving steps: about 60 small reads.
    async fn last_line(&self) -> Result<u64> {
        let (mut last, mut step) = (0, 1);
        while let Some(version) = self.line_after(last + step).await? {
            last = version;
            step *= 2;
        }
        while step > 0 {
            step /= 2;
            while let Some(version) = self.line_after(last + step).await? {
                last = version;
            }
        }
        Ok(last)
    }

    /// The version of the first line behind this version.
    async fn line_after(&self, version: u64) -> Result<Option<u64>> {
        let page = self
            .engine
            .scan(&Scan::Changelog, Some(&Key::ChangelogLine(version)), 1)
            .await?;
        Ok(page.items.first().and_then(|(key, _)| match key {
            Key::ChangelogLine(version) => Some(*version),
            _ => None,
        }))
    }
}

/// Unix seconds at which a line was written: what stands before its first dot.
fn written(record: &Record) -> Option<i64> {
    let Record::ChangelogLine(line) = record else {
        return None;
    };
    line.split('.').next()?.parse().ok()
}
