//! How long the limits of the volume and of its quotas let a file become (spec 70-semantics section 8).

use moorage_model::{Attr, Counter, ErrorKind, Ino, Quota, QuotaKey, Result, align4k};

use crate::accounting::is_near;
use crate::{Key, Meta, TxnExt as _};

/// Space is counted in units of this many bytes.
const UNIT: u64 = 4096;

/// A length, and the limit that refuses more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthLimit {
    /// Longest length that is not refused, bytes. Never below the length that the file has.
    pub length: u64,
    /// The length that the file has.
    pub from: u64,
    /// `NoSpace` for the volume, `QuotaExceeded` for a quota.
    pub refusal: ErrorKind,
}

/// Space that other files of this client will count once they are committed, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unrecorded {
    /// All of them.
    pub volume: i64,
    /// Those with the same owner.
    pub user: i64,
    /// Those with the same group.
    pub group: i64,
    /// Those in the same directory.
    pub directory: i64,
}

impl Unrecorded {
    fn in_quota(&self, key: QuotaKey) -> i64 {
        match key {
            QuotaKey::User(_) => self.user,
            QuotaKey::Group(_) => self.group,
            QuotaKey::Directory(_) => self.directory,
        }
    }
}

/// One limit of space, for a file that counts `entries` times in it.
#[derive(Clone, Copy, Debug)]
struct Limit {
    max: i64,
    used: i64,
    entries: i64,
    refusal: ErrorKind,
}

impl Limit {
    fn of_quota(quota: &Quota, unrecorded: i64, entries: i64) -> Limit {
        Limit {
            max: quota.max_space,
            used: quota.used_space.max(0).saturating_add(unrecorded),
            entries,
            refusal: ErrorKind::QuotaExceeded,
        }
    }

    fn length(&self, attr: &Attr) -> Option<LengthLimit> {
        if self.max <= 0 {
            return None;
        }
        let room = self.max.saturating_sub(self.used).max(0).unsigned_abs();
        let room = room / self.entries.max(1).unsigned_abs();
        let longest = align4k(attr.length).unsigned_abs().saturating_add(room);
        Some(LengthLimit {
            length: longest / UNIT * UNIT,
            from: attr.length,
            refusal: self.refusal,
        })
    }
}

fn narrowest(attr: &Attr, limits: impl IntoIterator<Item = Limit>) -> Option<LengthLimit> {
    let lengths = limits.into_iter().filter_map(|limit| limit.length(attr));
    lengths.min_by_key(|limit| limit.length)
}

impl Meta {
    /// How long a file may become by what the engine says now; `None` without limits. Another client can use up the
    /// room before it is taken, so the commit decides all the same.
    ///
    /// Two reads; more for directory quotas.
    ///
    /// # Errors
    /// `NotFound` when the file is gone; what reading answers.
    pub async fn length_limit(&self, ino: Ino, unrecorded: &Unrecorded) -> Result<Option<LengthLimit>> {
        let mut found = self.engine.get(&[Key::Node(ino)]).await?;
        let attr = found.node()?.ok_or(ErrorKind::NotFound)?;
        let quotas = self.quotas_of(ino, &attr).await?;
        let mut keys = vec![
            Key::Counter(Counter::UsedSpace),
            Key::Counter(Counter::TotalInodes),
        ];
        keys.extend(quotas.iter().map(|(key, _)| Key::Quota(*key)));
        let mut found = self.engine.get(&keys).await?;
        let (space, inodes) = (found.counter()?.unwrap_or(0), found.counter()?.unwrap_or(0));
        self.caches.usage.set_used(space, inodes);
        let mut limits = vec![self.volume_limit(space, unrecorded)];
        for (key, entries) in quotas {
            if let Some(quota) = found.quota()? {
                self.caches.usage.set_quota_usage(key, &quota);
                limits.push(Limit::of_quota(&quota, unrecorded.in_quota(key), entries));
            }
        }
        Ok(narrowest(&attr, limits))
    }

    /// As [`Meta::length_limit`] by the numbers of this client, which are as old as the last heartbeat for what others
    /// do; of limits that a file of `length` bytes would come near to, `None` when there is none. Reads nothing and
    /// waits for nothing, so a directory quota is missed whose directory is not remembered.
    pub fn known_length_limit(
        &self,
        attr: &Attr,
        length: u64,
        unrecorded: &Unrecorded,
    ) -> Option<LengthLimit> {
        let growth = align4k(length).saturating_sub(align4k(attr.length));
        let (used, _) = self.caches.usage.used();
        let volume = self.volume_limit(used, unrecorded);
        let (owners, directories) = {
            let setting = self.setting.read();
            (setting.user_group_quota, setting.dir_stats && attr.nlink > 0)
        };
        let table = self.caches.usage.quotas();
        let mut keys = Vec::new();
        if owners {
            keys.extend([QuotaKey::User(attr.uid), QuotaKey::Group(attr.gid)]);
        }
        if directories && table.has_directories() && attr.parent != Ino::NONE {
            let chain = self.caches.parents.chain(attr.parent);
            keys.extend(chain.into_iter().map(QuotaKey::Directory));
        }
        let quotas = keys.into_iter().filter_map(|key| {
            let quota = table.get(key)?;
            Some(Limit::of_quota(&quota, unrecorded.in_quota(key), 1))
        });
        let near = quotas
            .chain([volume])
            .filter(|limit| is_near(limit.max, limit.used, growth));
        narrowest(attr, near)
    }

    fn volume_limit(&self, used: i64, unrecorded: &Unrecorded) -> Limit {
        Limit {
            max: i64::try_from(self.setting.read().capacity).unwrap_or(i64::MAX),
            used: used.max(0).saturating_add(unrecorded.volume),
            entries: 1,
            refusal: ErrorKind::NoSpace,
        }
    }

    /// The quotas that a file counts in, and how often.
    async fn quotas_of(&self, ino: Ino, attr: &Attr) -> Result<Vec<(QuotaKey, i64)>> {
        let (owners, directories) = {
            let setting = self.setting.read();
            (setting.user_group_quota, setting.dir_stats && attr.nlink > 0)
        };
        let mut quotas = Vec::new();
        if owners {
            quotas.extend([(QuotaKey::User(attr.uid), 1), (QuotaKey::Group(attr.gid), 1)]);
        }
        if !directories || !self.caches.usage.quotas().has_directories() {
            return Ok(quotas);
        }
        let parents = if attr.parent == Ino::NONE {
            self.engine.parents(ino).await?
        } else {
            vec![(attr.parent, 1)]
        };
        for (parent, entries) in parents {
            for directory in self.quota_directories(self.engine.as_ref(), parent).await? {
                let key = QuotaKey::Directory(directory);
                match quotas.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, times)) => *times += i64::from(entries),
                    None => quotas.push((key, i64::from(entries))),
                }
            }
        }
        Ok(quotas)
    }
}
