//! How long the limits of the volume and of its quotas let a file become (spec 70-semantics section 8).

use moorage_model::{Attr, Counter, ErrorKind, Ino, Quota, QuotaKey, Result, align4k};

use crate::{Key, Meta, TxnExt as _};

/// Space is counted in units of this many bytes.
const UNIT: u64 = 4096;

/// A length, and the limit that refuses more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthLimit {
    /// Longest length that is not refused, bytes. Never below the length that the file has.
    pub length: u64,
    /// `NoSpace` for the volume, `QuotaExceeded` for a quota.
    pub refusal: ErrorKind,
}

/// One limit, for a file that counts `entries` times in it.
struct Limit {
    quota: Quota,
    entries: i64,
    refusal: ErrorKind,
}

impl Limit {
    /// How long the file may become, when this is a limit of space.
    fn length(&self, attr: &Attr) -> Option<LengthLimit> {
        if self.quota.max_space <= 0 {
            return None;
        }
        let room = self.quota.max_space.saturating_sub(self.quota.used_space);
        let room = room.max(0).unsigned_abs() / self.entries.max(1).unsigned_abs();
        let longest = align4k(attr.length).unsigned_abs().saturating_add(room);
        Some(LengthLimit {
            length: longest / UNIT * UNIT,
            refusal: self.refusal,
        })
    }
}

fn narrowest(attr: &Attr, limits: &[Limit]) -> Option<LengthLimit> {
    let lengths = limits.iter().filter_map(|limit| limit.length(attr));
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
    pub async fn length_limit(&self, ino: Ino) -> Result<Option<LengthLimit>> {
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
        let volume = Quota {
            max_space: i64::try_from(self.setting.read().capacity).unwrap_or(i64::MAX),
            used_space: space,
            ..Quota::default()
        };
        let mut limits = vec![Limit {
            quota: volume,
            entries: 1,
            refusal: ErrorKind::NoSpace,
        }];
        for (_, entries) in quotas {
            if let Some(quota) = found.quota()? {
                limits.push(Limit {
                    quota,
                    entries,
                    refusal: ErrorKind::QuotaExceeded,
                });
            }
        }
        Ok(narrowest(&attr, &limits))
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
