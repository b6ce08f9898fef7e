//! Setting, reading and removing limits.

use moorage_model::{Error, ErrorKind, Ino, Quota, QuotaKey, Result};

use super::{Counting, Usage};
use crate::admin::{Damage, Pages};
use crate::{Key, Meta, Record, Scan, Txn, TxnExt as _, Verb};

/// What is stored for "no limit".
const NO_LIMIT: i64 = -1;
/// Tries to set a quota that others remove in between.
const MAX_TRIES: u32 = 5;

/// Limits to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Largest space in bytes, 0 or less for no limit; `None` leaves it as it is.
    pub max_space: Option<i64>,
    /// Largest number of inodes, 0 or less for no limit; `None` leaves it as it is.
    pub max_inodes: Option<i64>,
}

/// The quotas of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaList {
    /// Those that can be read, directories first.
    pub quotas: Vec<(QuotaKey, Quota)>,
    /// The others.
    pub damage: Damage,
}

impl QuotaLimits {
    fn apply(self, quota: &mut Quota) {
        let stored = |limit: i64| if limit > 0 { limit } else { NO_LIMIT };
        quota.max_space = self.max_space.map_or(quota.max_space, stored);
        quota.max_inodes = self.max_inodes.map_or(quota.max_inodes, stored);
    }
}

impl Meta {
    /// Sets the limits of a directory, a user or a group and returns the quota. Other clients enforce it from their
    /// next heartbeat on.
    ///
    /// A directory that had no quota is added up first as `counting` says. What others change from then until their
    /// next heartbeat is missed at first: clients of this make count it then, of JuiceFS
    /// [`Meta::check_quota`] finds it.
    ///
    /// Read set: quota, directory. Write set: quota. Round trips: two reads, one commit, and those of the walk.
    ///
    /// # Errors
    /// `NotFound` and `NotDirectory` for a directory; `NotPermitted` for one in the trash, and for user and group 0;
    /// `NotSupported` when the volume keeps no directory statistics, or no usage of users and groups; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the limits set or not.
    pub async fn set_quota(&self, key: QuotaKey, limits: QuotaLimits, counting: Counting) -> Result<Quota> {
        self.check_writable()?;
        self.check_quota_kind(key)?;
        if key.id() == 0 {
            return Err(Error::new(
                ErrorKind::NotPermitted,
                format!("{key} can not be limited"),
            ));
        }
        for _ in 0..MAX_TRIES {
            let usage = self.usage_of_new_quota(key, counting).await?;
            let set = self
                .transact("set quota", move |meta, txn| {
                    Box::pin(async move { store_limits(meta, txn, key, limits, usage).await })
                })
                .await?;
            if let Some(quota) = set {
                if let (QuotaKey::Directory(directory), Some(_)) = (key, usage) {
                    self.recounts.note_own(directory);
                }
                return Ok(quota);
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("the quota of {key} is set and removed by others at the same time"),
        ))
    }

    /// The quota of a directory, a user or a group as stored; `None` when it has none. A user or group that owns
    /// something has a record without limits.
    ///
    /// One engine read.
    ///
    /// # Errors
    /// `Corrupt` for a damaged record.
    pub async fn get_quota(&self, key: QuotaKey) -> Result<Option<Quota>> {
        self.engine.get(&[Key::Quota(key)]).await?.quota()
    }

    /// All quotas as stored, directories first, and those that can not be read. Records of users and groups without limits
    /// are among them.
    ///
    /// One engine read per 1000 quotas.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn list_quotas(&self) -> Result<QuotaList> {
        let mut list = QuotaList::default();
        let mut pages = Pages::new(Scan::Quotas);
        while let Some(page) = pages.survey(self).await? {
            list.damage.note_all(&page.damaged);
            for (key, record) in page.items {
                if let (Key::Quota(key), Record::Quota(quota)) = (key, record) {
                    list.quotas.push((key, quota));
                }
            }
        }
        Ok(list)
    }

    /// Removes the limits of a directory, a user or a group. The usage of users and groups stays on record.
    ///
    /// Read set and write set: the quota. Round trips: one read, one commit.
    ///
    /// # Errors
    /// `NotFound` when there is no such quota; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the quota removed or not.
    pub async fn delete_quota(&self, key: QuotaKey) -> Result<()> {
        self.transact(Verb::removal("delete quota"), move |meta, txn| {
            Box::pin(async move { remove_limits(meta, txn, key).await })
        })
        .await
    }

    /// Refuses quotas of a kind that the volume does not keep.
    pub(super) fn check_quota_kind(&self, key: QuotaKey) -> Result<()> {
        let setting = self.setting.read();
        let (kept, what, option) = match key {
            QuotaKey::Directory(_) => (setting.dir_stats, "directory statistics", "--dir-stats"),
            QuotaKey::User(_) | QuotaKey::Group(_) => (
                setting.user_group_quota,
                "usage of users and groups",
                "--user-group-quota",
            ),
        };
        if kept {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NotSupported,
            format!("volume {} keeps no {what}, which quotas need", setting.name),
        )
        .with_advice(format!("Switch them on with `moorage config {option}`.")))
    }

    /// What a directory uses that has no quota yet.
    async fn usage_of_new_quota(&self, key: QuotaKey, counting: Counting) -> Result<Option<Usage>> {
        let QuotaKey::Directory(directory) = key else {
            // Whoever owns something has a record.
            return Ok(Some(Usage::default()));
        };
        let keys = [Key::Quota(key), Key::Node(directory)];
        let mut found = self.engine.get(&keys).await?;
        if found.quota()?.is_some() {
            return Ok(None);
        }
        check_directory(directory, found.node()?)?;
        let usage = self.usage_below(directory, counting).await?;
        Ok(Some(usage))
    }
}

/// A directory that may have a quota: it exists and does not belong to the trash.
fn check_directory(ino: Ino, attr: Option<moorage_model::Attr>) -> Result<()> {
    let attr = crate::permission::directory(attr)?;
    if ino.is_trash() || attr.in_trash() {
        return Err(Error::new(
            ErrorKind::NotPermitted,
            format!("directory {ino} lies in the trash and can not be limited"),
        ));
    }
    Ok(())
}

/// Stores the limits; `None` when the quota is new and its usage is not known.
async fn store_limits(
    meta: &Meta,
    txn: &mut dyn Txn,
    key: QuotaKey,
    limits: QuotaLimits,
    usage: Option<Usage>,
) -> Result<Option<Quota>> {
    if let QuotaKey::Directory(directory) = key {
        check_directory(directory, txn.lock_node(directory).await?)?;
    }
    let stored = txn.get_locked(&[Key::Quota(key)]).await?.quota()?;
    let mut quota = match (stored, usage) {
        (Some(quota), _) => quota,
        (None, Some(usage)) => Quota {
            used_space: usage.space,
            used_inodes: usage.inodes,
            ..Quota::default()
        },
        (None, None) => return Ok(None),
    };
    limits.apply(&mut quota);
    txn.put(Key::Quota(key), Record::Quota(quota));
    meta.log(txn, || {
        let (kind, id) = (key.code(), key.id());
        format!("SETQUOTA({kind},{id},{},{})", quota.max_space, quota.max_inodes)
    });
    Ok(Some(quota))
}

async fn remove_limits(meta: &Meta, txn: &mut dyn Txn, key: QuotaKey) -> Result<()> {
    let stored = txn.get_locked(&[Key::Quota(key)]).await?.quota()?;
    let mut quota = stored.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{key} has no quota")))?;
    if let QuotaKey::Directory(_) = key {
        txn.delete(Key::Quota(key));
    } else {
        (quota.max_space, quota.max_inodes) = (NO_LIMIT, NO_LIMIT);
        txn.put(Key::Quota(key), Record::Quota(quota));
    }
    meta.log(txn, || format!("DELQUOTA({},{})", key.code(), key.id()));
    Ok(())
}
