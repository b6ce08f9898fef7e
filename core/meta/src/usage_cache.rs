//! What this client knows of usage and limits between two heartbeats.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use moorage_model::{Counter, ErrorKind, Ino, Quota, QuotaKey, Result};
use parking_lot::RwLock;

use crate::admin::{Damage, Pages};
use crate::{Key, Meta, Record, Scan, TxnExt as _};

/// A quota as last read, its usage moved along by own commits.
#[derive(Debug)]
pub(crate) struct CachedQuota {
    max_space: i64,
    max_inodes: i64,
    used_space: AtomicI64,
    used_inodes: AtomicI64,
}

impl CachedQuota {
    fn new(quota: &Quota) -> CachedQuota {
        CachedQuota {
            max_space: quota.max_space,
            max_inodes: quota.max_inodes,
            used_space: AtomicI64::new(quota.used_space),
            used_inodes: AtomicI64::new(quota.used_inodes),
        }
    }

    /// The numbers now.
    pub(crate) fn snapshot(&self) -> Quota {
        Quota {
            max_space: self.max_space,
            max_inodes: self.max_inodes,
            used_space: self.used_space.load(Ordering::Relaxed),
            used_inodes: self.used_inodes.load(Ordering::Relaxed),
        }
    }

    fn add(&self, space: i64, inodes: i64) {
        self.used_space.fetch_add(space, Ordering::Relaxed);
        self.used_inodes.fetch_add(inodes, Ordering::Relaxed);
    }
}

/// All quotas of the volume by key.
#[derive(Debug, Default)]
pub(crate) struct QuotaTable {
    quotas: HashMap<QuotaKey, Arc<CachedQuota>>,
    directories: usize,
}

impl QuotaTable {
    fn insert(&mut self, key: QuotaKey, quota: &Quota) {
        let known = self.quotas.insert(key, Arc::new(CachedQuota::new(quota)));
        if known.is_none() && matches!(key, QuotaKey::Directory(_)) {
            self.directories += 1;
        }
    }

    fn remove(&mut self, key: QuotaKey) {
        if self.quotas.remove(&key).is_some() && matches!(key, QuotaKey::Directory(_)) {
            self.directories -= 1;
        }
    }

    /// The quota of a directory or owner, when it has one.
    pub(crate) fn get(&self, key: QuotaKey) -> Option<Quota> {
        self.quotas.get(&key).map(|quota| quota.snapshot())
    }

    /// Whether any directory has a quota, so that ancestors matter.
    pub(crate) fn has_directories(&self) -> bool {
        self.directories > 0
    }

    /// Directories that have a quota and had none in `earlier`.
    fn appeared_since(&self, earlier: &QuotaTable) -> Vec<Ino> {
        let directories = self.quotas.keys().filter_map(|key| match key {
            QuotaKey::Directory(ino) if !earlier.quotas.contains_key(key) => Some(*ino),
            _ => None,
        });
        directories.collect()
    }

    fn copied(&self) -> QuotaTable {
        QuotaTable {
            quotas: self.quotas.clone(),
            directories: self.directories,
        }
    }
}

/// Usage of the volume and its quotas.
#[derive(Debug, Default)]
pub(crate) struct UsageCache {
    space: AtomicI64,
    inodes: AtomicI64,
    quotas: RwLock<Arc<QuotaTable>>,
    /// Damaged quotas when they were last read.
    damaged: AtomicU64,
    /// See [`UsageCache::layout`].
    layout: AtomicU64,
    /// Whether this client has changed what directories count since the quotas were last read.
    changed: AtomicBool,
}

impl UsageCache {
    /// Names quotas that can not be read, once as long as their number stays. They limit nothing: refusing to open the
    /// volume for one of them would keep everybody from everything.
    fn warn_of(&self, damage: &Damage) {
        if self.damaged.swap(damage.count, Ordering::Relaxed) == damage.count {
            return;
        }
        for found in &damage.records {
            tracing::error!(reason = %found.reason, "a quota can not be read and limits nothing");
        }
    }

    /// Bytes and nodes in use.
    pub(crate) fn used(&self) -> (i64, i64) {
        (
            self.space.load(Ordering::Relaxed),
            self.inodes.load(Ordering::Relaxed),
        )
    }

    /// Takes over counters that were read.
    pub(crate) fn set_used(&self, space: i64, inodes: i64) {
        self.space.store(space, Ordering::Relaxed);
        self.inodes.store(inodes, Ordering::Relaxed);
    }

    /// Own committed change of the counters.
    pub(crate) fn add_used(&self, space: i64, inodes: i64) {
        self.space.fetch_add(space, Ordering::Relaxed);
        self.inodes.fetch_add(inodes, Ordering::Relaxed);
    }

    /// Own committed change of what a directory counts.
    pub(crate) fn note_changed(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether there was such a change since the last call.
    pub(crate) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// Changes whenever this client learns that other quotas count what happens in some directory.
    pub(crate) fn layout(&self) -> u64 {
        self.layout.load(Ordering::Acquire)
    }

    /// A directory got or lost its quota, or was moved from one quota to another.
    pub(crate) fn note_layout(&self) {
        self.layout.fetch_add(1, Ordering::Release);
    }

    /// The quotas as last read.
    pub(crate) fn quotas(&self) -> Arc<QuotaTable> {
        Arc::clone(&self.quotas.read())
    }

    /// Own committed change of a quota's usage; an owner seen for the first time gets a record without limits.
    pub(crate) fn add_quota_usage(&self, key: QuotaKey, space: i64, inodes: i64) {
        if let Some(quota) = self.quotas.read().quotas.get(&key) {
            return quota.add(space, inodes);
        }
        if !matches!(key, QuotaKey::Directory(_)) {
            self.put_quota(
                key,
                &Quota {
                    used_space: space,
                    used_inodes: inodes,
                    ..Quota::default()
                },
            );
        }
    }

    /// Usage of a quota as just read.
    pub(crate) fn set_quota_usage(&self, key: QuotaKey, read: &Quota) {
        if let Some(quota) = self.quotas.read().quotas.get(&key) {
            quota.used_space.store(read.used_space, Ordering::Relaxed);
            quota.used_inodes.store(read.used_inodes, Ordering::Relaxed);
        }
    }

    /// Own committed new or replaced quota.
    pub(crate) fn put_quota(&self, key: QuotaKey, quota: &Quota) {
        let mut current = self.quotas.write();
        let mut table = current.copied();
        table.insert(key, quota);
        self.replace(&mut current, table);
    }

    /// Own committed removal of a quota.
    pub(crate) fn remove_quota(&self, key: QuotaKey) {
        if self.quotas.read().quotas.contains_key(&key) {
            let mut current = self.quotas.write();
            let mut table = current.copied();
            table.remove(key);
            self.replace(&mut current, table);
        }
    }

    /// Takes over a table; answers with the directories that have a quota now and had none.
    fn replace(&self, current: &mut Arc<QuotaTable>, table: QuotaTable) -> Vec<Ino> {
        let earlier = std::mem::replace(current, Arc::new(table));
        let appeared = current.appeared_since(&earlier);
        // As many as before and none that is new are the same ones.
        if !appeared.is_empty() || current.directories != earlier.directories {
            self.note_layout();
        }
        appeared
    }
}

impl Meta {
    /// Reads the usage counters and all quotas anew: at start, so that limits hold from the first operation on,
    /// and at every heartbeat (spec 70-semantics section 1). Quotas that can not be read are logged and left out.
    /// Answers with the directories that have a quota now and had none when the quotas were last read.
    pub(crate) async fn refresh_usage(&self) -> Result<Vec<Ino>> {
        let keys = [
            Key::Counter(Counter::UsedSpace),
            Key::Counter(Counter::TotalInodes),
        ];
        let counters = self.engine.get(&keys).await;
        let used = counters.and_then(|mut found| {
            let (space, inodes) = (found.counter()?, found.counter()?);
            Ok((space.unwrap_or(0), inodes.unwrap_or(0)))
        });
        let (space, inodes) = match used {
            Err(error) if error.kind() == ErrorKind::Corrupt && self.options.accept_damaged_usage => (0, 0),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                return Err(error.with_advice(
                    "Unmount the volume everywhere and run `moorage fsck --repair`: it counts what is used again.",
                ));
            }
            used => used?,
        };
        self.caches.usage.set_used(space, inodes);
        let setting = self.setting();
        if !setting.dir_stats && !setting.user_group_quota {
            let usage = &self.caches.usage;
            return Ok(usage.replace(&mut usage.quotas.write(), QuotaTable::default()));
        }
        let mut table = QuotaTable::default();
        let mut damage = Damage::default();
        let mut pages = Pages::new(Scan::Quotas);
        while let Some(page) = pages.survey(self).await? {
            damage.note_all(&page.damaged);
            for (key, record) in page.items {
                if let (Key::Quota(key), Record::Quota(quota)) = (key, record) {
                    let kept = match key {
                        QuotaKey::Directory(_) => setting.dir_stats,
                        QuotaKey::User(_) | QuotaKey::Group(_) => setting.user_group_quota,
                    };
                    if kept {
                        table.insert(key, &quota);
                    }
                }
            }
        }
        self.caches.usage.warn_of(&damage);
        let usage = &self.caches.usage;
        Ok(usage.replace(&mut usage.quotas.write(), table))
    }
}
