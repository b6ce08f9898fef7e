//! Usage: volume limits, quotas and directory statistics (spec 70-semantics section 8).
//!
//! Usage differences are part of the verb's own transaction; the engine decides how it sums them up.

use std::collections::HashSet;
use std::sync::Arc;

use moorage_model::{Attr, Counter, DirStat, ErrorKind, Gid, Ino, QuotaKey, Result, Uid, align4k};
use parking_lot::RwLock;

use crate::{Key, Meta, Read, Record, Scan, Txn, TxnExt as _};

/// Quotas read per round trip.
const QUOTA_PAGE: usize = 1000;
/// Longest chain of parents that is followed: far deeper than a path of 4096 bytes can be.
const MAX_DEPTH: usize = 100_000;

/// Which quotas the volume has, as last read; their numbers are read where they are needed.
#[derive(Debug, Default)]
pub(crate) struct KnownQuotas(RwLock<Arc<HashSet<QuotaKey>>>);

impl KnownQuotas {
    fn get(&self) -> Arc<HashSet<QuotaKey>> {
        Arc::clone(&self.0.read())
    }

    /// Notes a quota that this client has just set.
    pub(crate) fn add(&self, key: QuotaKey) {
        let mut known = self.0.write();
        let mut keys = HashSet::clone(&known);
        keys.insert(key);
        *known = Arc::new(keys);
    }

    /// Forgets a quota that this client has just deleted.
    pub(crate) fn remove(&self, key: QuotaKey) {
        let mut known = self.0.write();
        let mut keys = HashSet::clone(&known);
        keys.remove(&key);
        *known = Arc::new(keys);
    }
}

/// What an entry of a node adds to the statistics of its directory.
pub(crate) fn entry_stat(attr: &Attr) -> DirStat {
    DirStat {
        length: if attr.is_file() { i64::try_from(attr.length).unwrap_or(i64::MAX) } else { 0 },
        space: attr.used_space(),
        inodes: 1,
    }
}

impl Meta {
    /// Reads which quotas exist; at start and at every heartbeat.
    pub(crate) async fn reload_quotas(&self) -> Result<()> {
        let mut keys = HashSet::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self.engine.scan(&Scan::Quotas, after.as_ref(), QUOTA_PAGE).await?;
            for (key, _) in &page.items {
                if let Key::Quota(quota) = key {
                    keys.insert(*quota);
                }
            }
            after = page.items.last().map(|(key, _)| key.clone());
            if !page.more || after.is_none() {
                break;
            }
        }
        *self.quotas.0.write() = Arc::new(keys);
        Ok(())
    }

    /// Checks that the volume, the owner and every directory above may grow by this much.
    ///
    /// No round trip unless the volume has a limit or a quota.
    ///
    /// # Errors
    /// `NoSpace` for the volume's limits, `QuotaExceeded` for a quota.
    pub(crate) async fn check_growth(
        &self,
        txn: &mut dyn Txn,
        uid: Uid,
        gid: Gid,
        parent: Ino,
        space: i64,
        inodes: i64,
    ) -> Result<()> {
        let setting = self.setting();
        if setting.capacity > 0 || setting.inodes > 0 {
            let keys = [Key::Counter(Counter::UsedSpace), Key::Counter(Counter::TotalInodes)];
            let mut counters = txn.get(&keys).await?;
            let over = |limit: u64, used: i64, delta: i64| {
                limit > 0 && delta > 0 && i128::from(used) + i128::from(delta) > i128::from(limit)
            };
            let used_space = counters.counter()?.unwrap_or(0);
            let used_inodes = counters.counter()?.unwrap_or(0);
            if over(setting.capacity, used_space, space) || over(setting.inodes, used_inodes, inodes) {
                return Err(ErrorKind::NoSpace.into());
            }
        }
        let known = self.quotas.get();
        if known.is_empty() {
            return Ok(());
        }
        let mut keys = self.quota_ancestors(txn, parent, &known).await?;
        if setting.user_group_quota {
            keys.extend([QuotaKey::User(uid), QuotaKey::Group(gid)].into_iter().filter(|key| known.contains(key)));
        }
        let keys: Vec<Key> = keys.into_iter().map(Key::Quota).collect();
        for record in txn.read(&keys).await? {
            if let Some(Record::Quota(quota)) = record
                && quota.exceeded_by(space, inodes)
            {
                return Err(ErrorKind::QuotaExceeded.into());
            }
        }
        Ok(())
    }

    /// Adds a node's share to the volume's usage and to its owner's.
    pub(crate) fn account_node(&self, txn: &mut dyn Txn, uid: Uid, gid: Gid, space: i64, inodes: i64) {
        if space != 0 {
            txn.add_counter(Counter::UsedSpace, space);
        }
        if inodes != 0 {
            txn.add_counter(Counter::TotalInodes, inodes);
        }
        if self.setting().user_group_quota && (space != 0 || inodes != 0) {
            txn.add_quota_usage(QuotaKey::User(uid), space, inodes);
            txn.add_quota_usage(QuotaKey::Group(gid), space, inodes);
        }
    }

    /// Adds an entry's share to the statistics of its directory and to the quotas of that directory and all above.
    pub(crate) async fn account_entry(&self, txn: &mut dyn Txn, parent: Ino, delta: DirStat) -> Result<()> {
        if delta.is_zero() || !self.setting().dir_stats {
            return Ok(());
        }
        txn.add_dir_stat(parent, delta);
        if delta.space == 0 && delta.inodes == 0 {
            return Ok(());
        }
        let known = self.quotas.get();
        for key in self.quota_ancestors(txn, parent, &known).await? {
            txn.add_quota_usage(key, delta.space, delta.inodes);
        }
        Ok(())
    }

    /// Accounts a file whose length changes from that of `old`: node, owner, and every entry of a hard link.
    /// Growth is checked against all limits first.
    pub(crate) async fn account_length(&self, txn: &mut dyn Txn, ino: Ino, old: &Attr, new_length: u64) -> Result<()> {
        let length = i64::try_from(new_length).unwrap_or(i64::MAX) - i64::try_from(old.length).unwrap_or(i64::MAX);
        let space = align4k(new_length) - align4k(old.length);
        let parents = self.entry_parents(txn, ino, old).await?;
        for (parent, _) in parents.iter().filter(|_| space > 0) {
            self.check_growth(txn, old.uid, old.gid, *parent, space, 0).await?;
        }
        self.account_node(txn, old.uid, old.gid, space, 0);
        for (parent, entries) in parents {
            let entries = i64::from(entries);
            let delta = DirStat { length: length * entries, space: space * entries, inodes: 0 };
            self.account_entry(txn, parent, delta).await?;
        }
        Ok(())
    }

    /// Directories that hold entries of a node, with their number: no round trip unless it is hard-linked.
    pub(crate) async fn entry_parents(&self, txn: &mut dyn Txn, ino: Ino, attr: &Attr) -> Result<Vec<(Ino, u32)>> {
        if attr.parent == Ino::NONE { txn.parents(ino).await } else { Ok(vec![(attr.parent, 1)]) }
    }

    /// The quotas that cover what lies directly in `directory`; the trash is covered by none.
    pub(crate) async fn quota_ancestors(
        &self,
        txn: &mut dyn Txn,
        directory: Ino,
        known: &HashSet<QuotaKey>,
    ) -> Result<Vec<QuotaKey>> {
        let mut found = Vec::new();
        if !known.iter().any(|key| matches!(key, QuotaKey::Directory(_))) {
            return Ok(found);
        }
        let mut current = directory;
        for _ in 0..MAX_DEPTH {
            if current == Ino::NONE || current.is_trash() {
                return Ok(Vec::new());
            }
            if known.contains(&QuotaKey::Directory(current)) {
                found.push(QuotaKey::Directory(current));
            }
            if current == Ino::ROOT {
                return Ok(found);
            }
            let Some(attr) = txn.get(&[Key::Node(current)]).await?.node()? else { return Ok(found) };
            current = attr.parent;
        }
        Ok(found)
    }

    /// Moves the usage of a subtree between the quotas above its old and new parent.
    pub(crate) async fn move_quota_usage(
        &self,
        txn: &mut dyn Txn,
        (from, to): (Ino, Ino),
        (space, inodes): (i64, i64),
    ) -> Result<()> {
        let known = self.quotas.get();
        let (old, new) = (self.quota_ancestors(txn, from, &known).await?, self.quota_ancestors(txn, to, &known).await?);
        for key in old.iter().filter(|key| !new.contains(key)) {
            txn.add_quota_usage(*key, -space, -inodes);
        }
        for key in new.iter().filter(|key| !old.contains(key)) {
            txn.add_quota_usage(*key, space, inodes);
        }
        Ok(())
    }

    /// Whether moving something between these directories crosses the border of a directory quota.
    pub(crate) async fn crosses_quota(&self, txn: &mut dyn Txn, from: Ino, to: Ino) -> Result<bool> {
        let known = self.quotas.get();
        if from == to || known.is_empty() {
            return Ok(false);
        }
        Ok(self.quota_ancestors(txn, from, &known).await? != self.quota_ancestors(txn, to, &known).await?)
    }

    /// Space and inodes of everything below a directory, itself included, by its statistics or its entries.
    pub(crate) async fn subtree_usage(&self, read: &dyn Read, directory: Ino) -> Result<(i64, i64)> {
        let (mut space, mut inodes) = (align4k(0), 1);
        let mut pending = vec![directory];
        while let Some(current) = pending.pop() {
            let mut after = None;
            loop {
                let page = read.read_directory(current, after.as_ref(), QUOTA_PAGE, true).await?;
                for item in &page {
                    inodes += 1;
                    space += item.attr.as_ref().map_or(align4k(0), Attr::used_space);
                    if item.entry.kind == moorage_model::NodeType::Directory {
                        pending.push(item.entry.ino);
                    }
                }
                if page.len() < QUOTA_PAGE {
                    break;
                }
                after = page.last().map(|item| item.name.clone());
            }
        }
        Ok((space, inodes))
    }
}
