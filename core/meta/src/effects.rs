//! What a committed transaction changes in the caches of this client.
//!
//! A verb's closure may run several times and its commit may fail, so it can not touch a cache itself. The
//! transaction it gets notes the relevant writes; they reach the caches after the commit.

use std::collections::HashSet;

use async_trait::async_trait;
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, Ino, Name, Quota, QuotaKey, Result,
    Slice, SliceId,
};

use crate::{DirectoryEntry, Key, LockedSet, Meta, Read, ReadSet, Record, Scan, Survey, Txn};

#[derive(Debug)]
enum QuotaEffect {
    Usage(QuotaKey, i64, i64),
    Put(QuotaKey, Quota),
    Removed(QuotaKey),
}

/// Changes of one run of a verb.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    space: i64,
    inodes: i64,
    /// Whether what a directory counts changed.
    entries: bool,
    quotas: Vec<QuotaEffect>,
    acls: Vec<(AclId, AclRule)>,
    /// Directories that are stored, and with `None` nodes that are removed.
    directories: Vec<(Ino, Option<Attr>)>,
    /// Nodes whose attributes, entries or content are stored; only while somebody listens.
    touched: Option<HashSet<Ino>>,
}

impl Effects {
    /// The directories that change, each once, with what is stored of them last.
    pub(crate) fn take_directories(&mut self) -> Vec<(Ino, Option<Attr>)> {
        std::mem::take(&mut self.directories)
    }

    fn touch(&mut self, key: &Key) {
        if let Some(touched) = &mut self.touched
            && let Key::Node(ino) | Key::Edge(ino, _) | Key::Chunk(ino, _) = key
        {
            touched.insert(*ino);
        }
    }

    fn note_directory(&mut self, ino: Ino, stored: Option<Attr>) {
        match self.directories.iter_mut().find(|(known, _)| *known == ino) {
            Some((_, last)) => *last = stored,
            None => self.directories.push((ino, stored)),
        }
    }
}

impl Meta {
    /// Takes over what a committed transaction changed.
    pub(crate) fn apply(&self, effects: Effects) {
        let usage = &self.caches.usage;
        if effects.space != 0 || effects.inodes != 0 {
            usage.add_used(effects.space, effects.inodes);
        }
        if effects.entries {
            usage.note_changed();
        }
        for effect in effects.quotas {
            match effect {
                QuotaEffect::Usage(key, space, inodes) => usage.add_quota_usage(key, space, inodes),
                QuotaEffect::Put(key, quota) => usage.put_quota(key, &quota),
                QuotaEffect::Removed(key) => usage.remove_quota(key),
            }
        }
        for (id, rule) in effects.acls {
            self.caches.acls.note(id, rule);
        }
        if let Some(touched) = effects.touched {
            self.own_changes.note(touched);
        }
    }
}

/// A transaction that notes its effects, and which errors are the engine's own.
pub(crate) struct Observed<'t> {
    inner: &'t mut dyn Txn,
    effects: Effects,
}

impl<'t> Observed<'t> {
    /// With `tells`, the nodes that change are noted for whoever listens.
    pub(crate) fn new(inner: &'t mut dyn Txn, tells: bool) -> Self {
        Observed {
            inner,
            effects: Effects {
                touched: tells.then(HashSet::new),
                ..Effects::default()
            },
        }
    }

    pub(crate) fn into_effects(self) -> Effects {
        self.effects
    }

    fn note_put(&mut self, key: &Key, record: &Record) {
        if let (Key::Quota(key), Record::Quota(quota)) = (key, record) {
            self.effects.quotas.push(QuotaEffect::Put(*key, *quota));
        }
        if let (Key::Node(ino), Record::Node(attr)) = (key, record)
            && attr.is_directory()
        {
            self.effects.note_directory(*ino, Some(attr.clone()));
        }
    }
}

#[async_trait]
impl Read for Observed<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.read(keys).await.map_err(Error::of_service)
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.inner
            .survey(range, after, limit)
            .await
            .map_err(Error::of_service)
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.inner.lookup(parent, name).await.map_err(Error::of_service)
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.inner
            .read_directory(directory, after, limit, attributes)
            .await
            .map_err(Error::of_service)
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.inner.parents(ino).await.map_err(Error::of_service)
    }
}

#[async_trait]
impl Txn for Observed<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.lock(keys).await.map_err(Error::of_service)
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.inner
            .lock_child(parent, name)
            .await
            .map_err(Error::of_service)
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        self.inner
            .lock_is_empty(directory)
            .await
            .map_err(Error::of_service)
    }

    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        self.inner.lock_range(range).await.map_err(Error::of_service)
    }

    async fn lock_set(&mut self, set: ReadSet<'_>) -> Result<LockedSet> {
        self.inner.lock_set(set).await.map_err(Error::of_service)
    }

    fn insert(&mut self, key: Key, record: Record) {
        self.effects.touch(&key);
        self.note_put(&key, &record);
        self.inner.insert(key, record);
    }

    fn put(&mut self, key: Key, record: Record) {
        self.effects.touch(&key);
        self.note_put(&key, &record);
        self.inner.put(key, record);
    }

    fn delete(&mut self, key: Key) {
        self.effects.touch(&key);
        if let Key::Quota(key) = &key {
            self.effects.quotas.push(QuotaEffect::Removed(*key));
        }
        if let Key::Node(ino) = &key {
            self.effects.note_directory(*ino, None);
        }
        self.inner.delete(key);
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        if let Some(touched) = &mut self.effects.touched {
            touched.insert(ino);
        }
        self.inner.append_slices(ino, chunk, slices);
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.inner.new_slice(id, size);
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.inner.add_owners(id, size, delta);
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        match counter {
            Counter::UsedSpace => self.effects.space = self.effects.space.saturating_add(delta),
            Counter::TotalInodes => self.effects.inodes = self.effects.inodes.saturating_add(delta),
            _ => {}
        }
        self.inner.add_counter(counter, delta);
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.effects.entries = true;
        self.inner.add_dir_stat(directory, delta);
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.effects.quotas.push(QuotaEffect::Usage(quota, space, inodes));
        self.inner.add_quota_usage(quota, space, inodes);
    }

    fn add_parent(&mut self, ino: Ino, directory: Ino, delta: i64) {
        self.inner.add_parent(ino, directory, delta);
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.inner.delete_attachments(ino);
    }

    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let id = self.inner.insert_acl(rule).await.map_err(Error::of_service)?;
        self.effects.acls.push((id, rule.clone()));
        Ok(id)
    }

    fn append_changelog(&mut self, line: String) {
        self.inner.append_changelog(line);
    }
}
