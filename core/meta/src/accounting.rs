//! Limits and usage: what every verb that makes, grows, moves or removes nodes checks and counts
//! (spec 70-semantics section 8).

use moorage_model::{Attr, Counter, DirStat, ErrorKind, Gid, Ino, Quota, QuotaKey, Result, Uid, align4k};

use crate::usage::{Counting, SubtreeUsage};
use crate::{Key, Meta, Read, Txn, TxnExt as _};

/// Below this share of a limit (in eighths) the cached usage decides; from there on the stored number is read.
const TRUSTED_EIGHTHS: i64 = 7;

/// What one entry for this node counts in the statistics of its directory.
pub(crate) fn entry_stat(attr: &Attr) -> DirStat {
    let length = if attr.is_file() {
        i64::try_from(attr.length).unwrap_or(i64::MAX)
    } else {
        0
    };
    DirStat {
        length,
        space: attr.used_space(),
        inodes: 1,
    }
}

/// Whether the cached usage is so near to the limit that the stored one has to be read.
pub(crate) fn is_near(max: i64, used: i64, delta: i64) -> bool {
    max > 0 && delta > 0 && used.max(0).saturating_add(delta) > max / 8 * TRUSTED_EIGHTHS
}

fn near_quota(quota: &Quota, space: i64, inodes: i64) -> bool {
    is_near(quota.max_space, quota.used_space, space) || is_near(quota.max_inodes, quota.used_inodes, inodes)
}

impl Meta {
    /// Whether the volume, the owner's quotas and every directory quota above `parent` allow this growth.
    ///
    /// Without limits nothing is read; far below them the numbers of the last heartbeat decide, near them the
    /// stored ones (one round trip).
    ///
    /// # Errors
    /// `NoSpace` for the volume, `QuotaExceeded` for a quota.
    pub(crate) async fn check_growth(
        &self,
        txn: &mut dyn Txn,
        uid: Uid,
        gid: Gid,
        parent: Ino,
        space: i64,
        inodes: i64,
    ) -> Result<()> {
        self.check_volume(txn, space, inodes).await?;
        self.check_owner(txn, uid, gid, space, inodes).await?;
        self.check_directories(txn, parent, &[], space, inodes).await
    }

    /// The limits of the volume.
    pub(crate) async fn check_volume(&self, txn: &mut dyn Txn, space: i64, inodes: i64) -> Result<()> {
        let setting = self.setting();
        let limit = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let (used_space, used_inodes) = self.caches.usage.used();
        let mut volume = Quota {
            max_space: limit(setting.capacity),
            max_inodes: limit(setting.inodes),
            used_space,
            used_inodes,
        };
        if near_quota(&volume, space, inodes) {
            let mut stored = txn
                .get(&[
                    Key::Counter(Counter::UsedSpace),
                    Key::Counter(Counter::TotalInodes),
                ])
                .await?;
            volume.used_space = stored.counter()?.unwrap_or(0);
            volume.used_inodes = stored.counter()?.unwrap_or(0);
        }
        if volume.exceeded_by(space, inodes) {
            Err(ErrorKind::NoSpace.into())
        } else {
            Ok(())
        }
    }

    /// The quotas of a user and a group.
    pub(crate) async fn check_owner(
        &self,
        txn: &mut dyn Txn,
        uid: Uid,
        gid: Gid,
        space: i64,
        inodes: i64,
    ) -> Result<()> {
        if !self.setting.read().user_group_quota {
            return Ok(());
        }
        self.refuse_exceeded(txn, &[QuotaKey::User(uid), QuotaKey::Group(gid)], space, inodes)
            .await
    }

    /// The quotas of `parent` and of everything above it, but for the directories in `except`.
    pub(crate) async fn check_directories(
        &self,
        txn: &mut dyn Txn,
        parent: Ino,
        except: &[Ino],
        space: i64,
        inodes: i64,
    ) -> Result<()> {
        if space <= 0 && inodes <= 0 {
            return Ok(());
        }
        let limited = self.quota_directories(&*txn, parent).await?;
        let keys: Vec<QuotaKey> = limited
            .into_iter()
            .filter(|ino| !except.contains(ino))
            .map(QuotaKey::Directory)
            .collect();
        self.refuse_exceeded(txn, &keys, space, inodes).await
    }

    async fn refuse_exceeded(
        &self,
        txn: &mut dyn Txn,
        keys: &[QuotaKey],
        space: i64,
        inodes: i64,
    ) -> Result<()> {
        let table = self.caches.usage.quotas();
        let near: Vec<Key> = keys
            .iter()
            .filter(|key| {
                table
                    .get(**key)
                    .is_some_and(|quota| near_quota(&quota, space, inodes))
            })
            .map(|key| Key::Quota(*key))
            .collect();
        if near.is_empty() {
            return Ok(());
        }
        let mut stored = txn.get(&near).await?;
        for _ in &near {
            if stored
                .quota()?
                .is_some_and(|quota| quota.exceeded_by(space, inodes))
            {
                return Err(ErrorKind::QuotaExceeded.into());
            }
        }
        Ok(())
    }

    /// Directories from `directory` upwards that have a quota; empty without a read when none has.
    pub(crate) async fn quota_directories(
        &self,
        reader: &(impl Read + ?Sized),
        directory: Ino,
    ) -> Result<Vec<Ino>> {
        let table = self.caches.usage.quotas();
        if !table.has_directories() || directory.is_trash() {
            return Ok(Vec::new());
        }
        let mut chain = self.ancestors(reader, directory).await?;
        chain.retain(|ino| table.get(QuotaKey::Directory(*ino)).is_some());
        Ok(chain)
    }

    /// Counts a node that comes into being, changes size or goes for good: the volume's counters and the usage of
    /// its owner.
    pub(crate) fn account_node(&self, txn: &mut dyn Txn, uid: Uid, gid: Gid, space: i64, inodes: i64) {
        if space != 0 {
            txn.add_counter(Counter::UsedSpace, space);
        }
        if inodes != 0 {
            txn.add_counter(Counter::TotalInodes, inodes);
        }
        self.account_owner(txn, uid, gid, space, inodes);
    }

    /// Counts in the usage of a user and a group only, as a change of owner does.
    pub(crate) fn account_owner(&self, txn: &mut dyn Txn, uid: Uid, gid: Gid, space: i64, inodes: i64) {
        if (space != 0 || inodes != 0) && self.setting.read().user_group_quota {
            txn.add_quota_usage(QuotaKey::User(uid), space, inodes);
            txn.add_quota_usage(QuotaKey::Group(gid), space, inodes);
        }
    }

    /// Counts an entry that appears in `parent`, changes or goes: the statistics of the directory and the
    /// directory quotas from it upwards.
    ///
    /// # Errors
    /// What reading the chain of parents answers, when any directory has a quota.
    pub(crate) async fn account_entry(&self, txn: &mut dyn Txn, parent: Ino, delta: DirStat) -> Result<()> {
        let limited = if delta.space == 0 && delta.inodes == 0 {
            Vec::new()
        } else {
            self.quota_directories(&*txn, parent).await?
        };
        self.account_entry_in(txn, parent, &limited, delta);
        Ok(())
    }

    /// As [`Meta::account_entry`] where the directories with a quota from `parent` upwards are known.
    pub(crate) fn account_entry_in(&self, txn: &mut dyn Txn, parent: Ino, limited: &[Ino], delta: DirStat) {
        if delta.is_zero() || !self.setting.read().dir_stats {
            return;
        }
        txn.add_dir_stat(parent, delta);
        for directory in limited {
            txn.add_quota_usage(QuotaKey::Directory(*directory), delta.space, delta.inodes);
        }
    }

    /// Checks and counts a change of a file's length: volume, owner, and per entry the statistics and quotas of
    /// the directories that hold it. `old` is the locked attribute before the change.
    ///
    /// # Errors
    /// `NoSpace` or `QuotaExceeded` when it grows beyond a limit.
    pub(crate) async fn account_length(
        &self,
        txn: &mut dyn Txn,
        ino: Ino,
        old: &Attr,
        new_length: u64,
    ) -> Result<()> {
        let signed = |length: u64| i64::try_from(length).unwrap_or(i64::MAX);
        let delta = DirStat {
            length: signed(new_length).saturating_sub(signed(old.length)),
            space: align4k(new_length).saturating_sub(align4k(old.length)),
            inodes: 0,
        };
        if delta.space > 0 {
            self.check_volume(txn, delta.space, 0).await?;
            self.check_owner(txn, old.uid, old.gid, delta.space, 0).await?;
        }
        self.account_node(txn, old.uid, old.gid, delta.space, 0);
        // Entries of a file that was unlinked while open are counted off already.
        if delta.is_zero() || old.nlink == 0 || !self.setting.read().dir_stats {
            return Ok(());
        }
        let parents = if old.parent == Ino::NONE {
            txn.parents(ino).await?
        } else {
            vec![(old.parent, 1)]
        };
        for (parent, entries) in parents {
            let times = i64::from(entries);
            let delta = DirStat {
                length: delta.length.saturating_mul(times),
                space: delta.space.saturating_mul(times),
                inodes: 0,
            };
            if delta.space > 0 {
                self.check_directories(txn, parent, &[], delta.space, 0).await?;
            }
            self.account_entry(txn, parent, delta).await?;
        }
        Ok(())
    }

    /// Whether something that moves between these directories enters or leaves a directory quota.
    pub(crate) async fn crosses_quotas(
        &self,
        reader: &(impl Read + ?Sized),
        from: Ino,
        to: Ino,
    ) -> Result<bool> {
        if !self.caches.usage.quotas().has_directories() || !self.setting.read().dir_stats {
            return Ok(false);
        }
        Ok(self.quota_directories(reader, from).await? != self.quota_directories(reader, to).await?)
    }

    /// Counts a node over from one directory to another: statistics of both, and the quotas above only one of them
    /// with everything below the node. `subtree` is the usage of a directory when the caller knows it.
    ///
    /// # Errors
    /// `QuotaExceeded` when a quota of the new place is too small.
    #[expect(clippy::too_many_arguments, reason = "the facts of one move")]
    pub(crate) async fn account_move(
        &self,
        txn: &mut dyn Txn,
        from: Ino,
        to: Ino,
        ino: Ino,
        stat: DirStat,
        directory: bool,
        subtree: Option<&SubtreeUsage>,
    ) -> Result<()> {
        if from == to || !self.setting.read().dir_stats {
            return Ok(());
        }
        txn.add_dir_stat(from, -stat);
        txn.add_dir_stat(to, stat);
        let left = self.quota_directories(&*txn, from).await?;
        let entered = self.quota_directories(&*txn, to).await?;
        if left == entered {
            return Ok(());
        }
        let (space, inodes) = match subtree {
            _ if !directory => (stat.space, stat.inodes),
            Some(usage) => (usage.space, usage.inodes),
            None => {
                let usage = self.subtree_usage(&*txn, ino, Counting::Statistics).await?;
                (usage.space, usage.inodes)
            }
        };
        let only = |these: &[Ino], those: &[Ino]| -> Vec<QuotaKey> {
            these
                .iter()
                .filter(|ino| !those.contains(ino))
                .map(|ino| QuotaKey::Directory(*ino))
                .collect()
        };
        let (left, entered) = (only(&left, &entered), only(&entered, &left));
        self.refuse_exceeded(txn, &entered, space, inodes).await?;
        for key in left {
            txn.add_quota_usage(key, -space, -inodes);
        }
        for key in entered {
            txn.add_quota_usage(key, space, inodes);
        }
        Ok(())
    }
}
