//! Relative changes that the jobs of a group share.

use std::collections::{HashMap, HashSet};

use moorage_meta::{Key, Record};
use moorage_model::{Counter, DirStat, Ino, Quota, QuotaKey, Result};

use super::txn::{change_number, execute};
use super::view::View;
use crate::relational::owner_quota_key;

/// Sums of relative changes: written once per group, in the group's own transaction, so that the counters equal a
/// full scan even after the process is killed.
#[derive(Debug, Default)]
pub(super) struct Sums {
    counters: HashMap<Counter, i64>,
    dir_stats: HashMap<Ino, DirStat>,
    quotas: HashMap<QuotaKey, (i64, i64)>,
    /// Records stored or removed absolutely: what earlier jobs of the group added to them is void.
    replaced: HashSet<Key>,
}

impl Sums {
    pub(super) fn add_counter(&mut self, counter: Counter, delta: i64) {
        let sum = self.counters.entry(counter).or_default();
        *sum = sum.saturating_add(delta);
    }

    pub(super) fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        *self.dir_stats.entry(directory).or_default() += delta;
    }

    pub(super) fn add_quota(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        let sum = self.quotas.entry(quota).or_default();
        *sum = (sum.0.saturating_add(space), sum.1.saturating_add(inodes));
    }

    /// Notes that the record gets its value, or goes, by a statement of its own.
    pub(super) fn replace(&mut self, key: &Key) {
        if matches!(key, Key::Counter(_) | Key::DirStat(_) | Key::Quota(_)) {
            self.forget(key);
            self.replaced.insert(key.clone());
        }
    }

    fn forget(&mut self, key: &Key) {
        match key {
            Key::Counter(counter) => drop(self.counters.remove(counter)),
            Key::DirStat(ino) => drop(self.dir_stats.remove(ino)),
            Key::Quota(quota) => drop(self.quotas.remove(quota)),
            _ => {}
        }
    }

    /// Takes over the changes of a job that succeeded.
    pub(super) fn merge(&mut self, job: Sums) {
        for key in &job.replaced {
            self.forget(key);
        }
        for (counter, delta) in job.counters {
            self.add_counter(counter, delta);
        }
        for (ino, delta) in job.dir_stats {
            self.add_dir_stat(ino, delta);
        }
        for (quota, (space, inodes)) in job.quotas {
            self.add_quota(quota, space, inodes);
        }
    }

    /// A record as the job sees it: as stored, with the sums of earlier jobs and its own.
    pub(super) fn adjust(&self, earlier: &Sums, key: &Key, record: &mut Option<Record>) {
        if !self.replaced.contains(key) {
            earlier.add_to(key, record);
        }
        self.add_to(key, record);
    }

    fn add_to(&self, key: &Key, record: &mut Option<Record>) {
        match (key, record) {
            (Key::Counter(counter), found) => {
                let delta = self.counters.get(counter).copied().unwrap_or(0);
                let value = if let Some(Record::Counter(value)) = found {
                    *value
                } else {
                    0
                };
                if delta != 0 {
                    *found = Some(Record::Counter(value.saturating_add(delta)));
                }
            }
            (Key::DirStat(ino), Some(Record::DirStat(stat))) => {
                *stat += self.dir_stats.get(ino).copied().unwrap_or_default();
            }
            // An owner seen for the first time gets its record with the sums.
            (Key::Quota(key @ (QuotaKey::User(_) | QuotaKey::Group(_))), found @ None) => {
                let sum = self.quotas.get(key).copied().filter(|sum| *sum != (0, 0));
                *found = sum.map(|(space, inodes)| {
                    Record::Quota(Quota {
                        used_space: space,
                        used_inodes: inodes,
                        ..Quota::default()
                    })
                });
            }
            (Key::Quota(key), Some(Record::Quota(quota))) => {
                let (space, inodes) = self.quotas.get(key).copied().unwrap_or_default();
                quota.used_space = quota.used_space.saturating_add(space);
                quota.used_inodes = quota.used_inodes.saturating_add(inodes);
            }
            _ => {}
        }
    }

    /// Writes the sums: one statement per counter, directory and quota that changed.
    pub(super) fn apply(&self, view: View<'_>) -> Result<()> {
        for (counter, delta) in self.counters.iter().filter(|(_, delta)| **delta != 0) {
            let parameters = (counter.name(), delta, delta);
            change_number(view, &view.sql.add_counter, parameters, &Key::Counter(*counter))?;
        }
        for (ino, delta) in self.dir_stats.iter().filter(|(_, delta)| !delta.is_zero()) {
            let parameters = (ino.0.cast_signed(), delta.length, delta.space, delta.inodes);
            execute(view, &view.sql.add_dir_stat, parameters, || {
                Key::DirStat(*ino).to_string()
            })?;
        }
        for (quota, (space, inodes)) in self.quotas.iter().filter(|(_, delta)| **delta != (0, 0)) {
            let (kind, id) = owner_quota_key(*quota);
            let what = || Key::Quota(*quota).to_string();
            if let QuotaKey::Directory(_) = quota {
                execute(view, &view.sql.add_directory_quota, (id, space, inodes), what)?;
            } else {
                // A record exists for every owner seen (spec 70-semantics section 8), with no limits.
                execute(view, &view.sql.add_owner_quota, (kind, id, space, inodes), what)?;
            }
        }
        Ok(())
    }
}
