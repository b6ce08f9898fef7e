//! An optimistic transaction: remembers what it decided on, collects what it writes.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, Read, Record, Scan, Survey, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Ino, Name, QuotaKey, Result,
    Slice, SliceId,
};

use super::{MemoryEngine, State, scan};
use crate::write::Write;

pub(super) struct MemoryTxn<'e> {
    engine: &'e MemoryEngine,
    /// Version of each record that a decision rests on; `None` was absent.
    locked: HashMap<Key, Option<u64>>,
    /// Directories that a decision found empty or not, in the committed records.
    emptiness: HashMap<Ino, bool>,
    /// Ranges that a decision rests on, with the version of each committed record in them.
    ranges: HashMap<Scan, Vec<(Key, u64)>>,
    writes: Vec<Write>,
}

impl<'e> MemoryTxn<'e> {
    pub(super) fn new(engine: &'e MemoryEngine) -> Self {
        MemoryTxn {
            engine,
            locked: HashMap::new(),
            emptiness: HashMap::new(),
            ranges: HashMap::new(),
            writes: Vec::new(),
        }
    }

    /// Applies the writes if nothing that was decided on has changed; `false` is a conflict.
    ///
    /// # Errors
    /// `InvalidArgument` when a record is not of the kind that its key names.
    pub(super) fn commit(self) -> Result<bool> {
        if let Some(wrong) = self.writes.iter().find(|write| !write.fits()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{} can not hold that: {wrong:?}", wrong.key()),
            ));
        }
        let mut state = self.engine.state.lock();
        let unchanged = self
            .locked
            .iter()
            .all(|(key, seen)| state.records.get(key).map(|found| found.version) == *seen);
        let same_emptiness = self.emptiness.iter().all(|(ino, empty)| {
            state
                .records
                .range(scan::bounds(&Scan::Edges(*ino)))
                .next()
                .is_none()
                == *empty
        });
        let same_ranges = self
            .ranges
            .iter()
            .all(|(range, seen)| versions(&state, range) == *seen);
        if !unchanged || !same_emptiness || !same_ranges {
            return Ok(false);
        }
        let mut changed: BTreeMap<Key, Option<Record>> = BTreeMap::new();
        for write in &self.writes {
            let key = write.key();
            let found = match changed.remove(&key) {
                Some(found) => found,
                None => state.records.get(&key).map(|found| found.record.clone()),
            };
            if matches!(write, Write::Insert(..)) && found.is_some() {
                return Ok(false);
            }
            changed.insert(key, write.apply(found));
        }
        state.commits += 1;
        let mut nodes = Vec::new();
        for (key, record) in changed {
            if let Key::Node(ino) = key {
                nodes.push(ino);
            }
            state.set(key, record);
        }
        drop(state);
        self.engine.tell(&nodes);
        Ok(true)
    }

    fn own_view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        self.writes
            .iter()
            .filter(|write| write.key() == *key)
            .fold(committed, |found, write| write.apply(found))
    }

    fn view(&self, key: &Key) -> Option<Record> {
        self.own_view(key, self.engine.record(key))
    }

    /// The records of a range as this transaction sees them.
    fn merged(&self, range: &Scan) -> BTreeMap<Key, Record> {
        let bounds = scan::bounds(range);
        let mut records: BTreeMap<Key, Record> = {
            let state = self.engine.state.lock();
            state
                .records
                .range(bounds.clone())
                .map(|(key, found)| (key.clone(), found.record.clone()))
                .collect()
        };
        for write in &self.writes {
            let key = write.key();
            if std::ops::RangeBounds::contains(&bounds, &key) {
                match write.apply(records.remove(&key)) {
                    Some(record) => records.insert(key, record),
                    None => None,
                };
            }
        }
        records
    }

    fn lock_one(&mut self, key: &Key) -> Option<Record> {
        let (committed, version) = {
            let state = self.engine.state.lock();
            let found = state.records.get(key);
            (
                found.map(|found| found.record.clone()),
                found.map(|found| found.version),
            )
        };
        self.locked.entry(key.clone()).or_insert(version);
        self.own_view(key, committed)
    }
}

/// The committed records inside the bounds of a range, by version.
fn versions(state: &State, range: &Scan) -> Vec<(Key, u64)> {
    state
        .records
        .range(scan::bounds(range))
        .map(|(key, found)| (key.clone(), found.version))
        .collect()
}

#[async_trait]
impl Read for MemoryTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        Ok(keys.iter().map(|key| self.view(key)).collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        Ok(scan::page(range, after, limit, self.merged(range).iter()))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let page = self
            .survey(&Scan::Edges(directory), after.as_ref(), limit)
            .await?;
        scan::directory_entries(page, attributes, |ino| self.view(&Key::Node(ino)))
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        Ok(scan::parents(ino, self.merged(&Scan::AllEdges).iter()))
    }
}

#[async_trait]
impl Txn for MemoryTxn<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        Ok(keys.iter().map(|key| self.lock_one(key)).collect())
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let Some(Record::Edge(entry)) = self.lock_one(&Key::Edge(parent, name.clone())) else {
            return Ok(None);
        };
        let attr = match self.lock_one(&Key::Node(entry.ino)) {
            Some(Record::Node(attr)) => Some(attr),
            _ => None,
        };
        Ok(Some((entry, attr)))
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        let committed = {
            let state = self.engine.state.lock();
            state
                .records
                .range(scan::bounds(&Scan::Edges(directory)))
                .next()
                .is_none()
        };
        self.emptiness.entry(directory).or_insert(committed);
        Ok(self.merged(&Scan::Edges(directory)).is_empty())
    }

    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let seen = versions(&self.engine.state.lock(), range);
        self.ranges.entry(range.clone()).or_insert(seen);
        Ok(scan::page(range, None, usize::MAX, self.merged(range).iter()).items)
    }

    fn insert(&mut self, key: Key, record: Record) {
        self.writes.push(Write::Insert(key, record));
    }

    fn put(&mut self, key: Key, record: Record) {
        self.writes.push(Write::Put(key, record));
    }

    fn delete(&mut self, key: Key) {
        self.writes.push(Write::Delete(key));
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        self.writes.push(Write::Append(ino, chunk, slices.to_vec()));
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.writes.push(Write::NewSlice(id, size));
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.writes.push(Write::AddOwners(id, size, delta));
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        self.writes.push(Write::AddCounter(counter, delta));
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.writes.push(Write::AddDirStat(directory, delta));
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.writes.push(Write::AddQuota(quota, space, inodes));
    }

    fn add_parent(&mut self, _ino: Ino, _directory: Ino, _delta: i64) {
        // Parents are found through the entries.
    }

    fn delete_attachments(&mut self, ino: Ino) {
        let names: Vec<Key> = self.merged(&Scan::Xattrs(ino)).into_keys().collect();
        self.writes.extend(names.into_iter().map(Write::Delete));
    }

    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let id = {
            let mut state = self.engine.state.lock();
            state.last_acl = state
                .last_acl
                .checked_add(1)
                .ok_or_else(|| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))?;
            AclId(state.last_acl)
        };
        self.writes
            .push(Write::Insert(Key::Acl(id), Record::Acl(rule.clone())));
        Ok(id)
    }

    fn append_changelog(&mut self, line: String) {
        let version = {
            let mut state = self.engine.state.lock();
            state.last_line += 1;
            state.last_line
        };
        self.writes.push(Write::Insert(
            Key::ChangelogLine(version),
            Record::ChangelogLine(line),
        ));
    }
}
