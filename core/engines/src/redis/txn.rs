//! A transaction: reads remember the values that were decided on, writes are collected.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, Read, Record, Scan, Survey, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Ino, Name, QuotaKey, Result,
    Slice, SliceId,
};

use super::RedisEngine;
use super::cells::{Cell, cells, decode};
use super::changes::Change;
use super::survey::{Found, field_key, page};
use crate::write::Write;

pub(super) struct RedisTxn<'e> {
    pub(super) engine: &'e RedisEngine,
    /// What decisions rest on, as first seen.
    pub(super) seen: HashMap<Cell, Option<Vec<u8>>>,
    pub(super) changes: Vec<Change>,
    /// A record that was inserted although this transaction knows of one.
    pub(super) clash: Option<Key>,
    /// Numbers of entries that came with locked children.
    lengths: HashMap<Ino, u64>,
}

impl<'e> RedisTxn<'e> {
    pub(super) fn new(engine: &'e RedisEngine) -> Self {
        RedisTxn {
            engine,
            seen: HashMap::new(),
            changes: Vec::new(),
            clash: None,
            lengths: HashMap::new(),
        }
    }

    fn own_view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        self.changes.iter().fold(committed, |found, change| match change {
            Change::Record(write) if write.key() == *key => write.apply(found),
            Change::Attachments(ino) if matches!(key, Key::Xattr(of, _) if of == ino) => None,
            _ => found,
        })
    }

    fn is_written(&self, key: &Key) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Record(write) => write.key() == *key,
            Change::Attachments(ino) => matches!(key, Key::Xattr(of, _) if of == ino),
            _ => false,
        })
    }

    fn remember(&mut self, cell: Cell, value: Option<Vec<u8>>) {
        self.seen.entry(cell).or_insert(value);
    }

    /// What was collected for a range, applied to what is committed.
    fn merged(&self, range: &Scan, committed: Found) -> Found {
        let mut records: BTreeMap<Key, Result<Record>> = committed.into_iter().collect();
        for change in &self.changes {
            match change {
                Change::Record(write) if belongs(range, &write.key()) => {
                    let key = write.key();
                    let before = records.remove(&key).and_then(Result::ok);
                    if let Some(after) = write.apply(before) {
                        records.insert(key, Ok(after));
                    }
                }
                Change::Attachments(ino) if *range == Scan::Xattrs(*ino) => records.clear(),
                _ => {}
            }
        }
        records.into_iter().collect()
    }
}

/// Whether a key is of a range that transactions read.
fn belongs(range: &Scan, key: &Key) -> bool {
    match (range, key) {
        (Scan::Edges(of), Key::Edge(ino, _))
        | (Scan::Xattrs(of), Key::Xattr(ino, _))
        | (Scan::Chunks(of), Key::Chunk(ino, _))
        | (Scan::FileLocks(of), Key::FileLock(ino, ..))
        | (Scan::RecordLocks(of), Key::RecordLocks(ino, ..)) => of == ino,
        (Scan::DirStats, Key::DirStat(_)) | (Scan::Quotas, Key::Quota(_)) | (Scan::Acls, Key::Acl(_)) => true,
        _ => false,
    }
}

#[async_trait]
impl Read for RedisTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.engine.read(keys).await?;
        Ok(keys
            .iter()
            .zip(found)
            .map(|(key, record)| self.own_view(key, record))
            .collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        if self.changes.is_empty() {
            return self.engine.reader.survey(range, after, limit).await;
        }
        let committed = self.engine.reader.whole(range).await?;
        Ok(page(self.merged(range, committed), after, limit))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let entries = self.scan(&Scan::Edges(directory), after.as_ref(), limit).await?;
        let mut listed = self.engine.with_attributes(entries.items, attributes).await?;
        for item in listed.iter_mut().filter(|_| attributes) {
            let key = Key::Node(item.entry.ino);
            if let Some(Record::Node(attr)) = self.own_view(&key, item.attr.take().map(Record::Node)) {
                item.attr = Some(attr);
            }
        }
        Ok(listed)
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let mut counts: BTreeMap<Ino, i64> = self
            .engine
            .parents(ino)
            .await?
            .into_iter()
            .map(|(parent, count)| (parent, i64::from(count)))
            .collect();
        for change in &self.changes {
            if let Change::Parent(of, directory, delta) = change
                && *of == ino
            {
                *counts.entry(*directory).or_default() += delta;
            }
        }
        Ok(counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(parent, count)| (parent, u32::try_from(count).unwrap_or(u32::MAX)))
            .collect())
    }
}

#[async_trait]
impl Txn for RedisTxn<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.engine.reader.values(keys).await?;
        let mut records = Vec::with_capacity(keys.len());
        for (key, values) in keys.iter().zip(found) {
            let record = decode(key, &values)?;
            for (cell, value) in cells(&self.engine.reader.layout, key).into_iter().zip(values) {
                self.remember(cell, value);
            }
            records.push(self.own_view(key, record));
        }
        Ok(records)
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let edge = Key::Edge(parent, name.clone());
        if self.is_written(&edge) {
            let Some(Record::Edge(entry)) = self.lock(&[edge]).await?.pop().flatten() else {
                return Ok(None);
            };
            let attr = match self.lock(&[Key::Node(entry.ino)]).await?.pop().flatten() {
                Some(Record::Node(attr)) => Some(attr),
                _ => None,
            };
            return Ok(Some((entry, attr)));
        }
        let found = self.engine.child(parent, name).await?;
        let layout = &self.engine.reader.layout;
        let cell = Cell::Field(layout.directory(parent), name.as_bytes().to_vec());
        let Some((entry, node, length)) = found else {
            self.remember(cell, None);
            return Ok(None);
        };
        let node_cell = Cell::Text(layout.node(entry.ino));
        self.remember(cell, Some(entry.encode().to_vec()));
        self.remember(node_cell, node.clone());
        self.lengths.insert(entry.ino, length);
        let key = Key::Node(entry.ino);
        let record = decode(&key, &[node])?;
        let attr = match self.own_view(&key, record) {
            Some(Record::Node(attr)) => Some(attr),
            _ => None,
        };
        Ok(Some((entry, attr)))
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        let cell = Cell::Fields(self.engine.reader.layout.directory(directory));
        let range = Scan::Edges(directory);
        let changed = self
            .changes
            .iter()
            .any(|change| matches!(change, Change::Record(write) if belongs(&range, &write.key())));
        let known = self.lengths.get(&directory).copied();
        let value = match known {
            Some(length) => Some(length.to_string().into_bytes()),
            None => cell.value(self.engine.reader.connection.ask(cell.read()).await?)?,
        };
        let empty = value.as_deref() == Some(b"0");
        self.remember(cell, value);
        if !changed {
            return Ok(empty);
        }
        let committed = self.engine.reader.whole(&range).await?;
        Ok(self.merged(&range, committed).is_empty())
    }

    /// One round trip for the ranges that are one hash, more for chunks.
    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let reader = &self.engine.reader;
        let mut committed: Found = Vec::new();
        if let Some(table) = reader.layout.hash_of(range) {
            let fields = reader.fields(table.clone()).await?;
            // As many fields, each as it was, are the same hash.
            let count = fields.len().to_string().into_bytes();
            self.remember(Cell::Fields(table.clone()), Some(count));
            for (field, value) in fields {
                let value = Some(value);
                if let Some(key) = field_key(range, &field)
                    && let Some(record) = decode(&key, std::slice::from_ref(&value)).transpose()
                {
                    committed.push((key, record));
                }
                self.remember(Cell::Field(table.clone(), field), value);
            }
        } else {
            let keys: Vec<Key> = reader
                .whole(range)
                .await?
                .into_iter()
                .map(|(key, _)| key)
                .collect();
            let values = reader.values(&keys).await?;
            for (key, values) in keys.into_iter().zip(values) {
                if let Some(record) = decode(&key, &values).transpose() {
                    committed.push((key.clone(), record));
                }
                for (cell, value) in cells(&reader.layout, &key).into_iter().zip(values) {
                    self.remember(cell, value);
                }
            }
        }
        self.merged(range, committed)
            .into_iter()
            .map(|(key, record)| Ok((key, record?)))
            .collect()
    }

    fn insert(&mut self, key: Key, record: Record) {
        if self.is_written(&key) {
            if self.own_view(&key, None).is_some() {
                self.clash = Some(key.clone());
            }
        } else {
            // An insertion that nobody decided on is compared too.
            for cell in cells(&self.engine.reader.layout, &key).into_iter().take(1) {
                if self.seen.get(&cell).is_some_and(Option::is_some) {
                    self.clash = Some(key.clone());
                }
                self.remember(cell, None);
            }
        }
        self.changes.push(Change::Record(Write::Insert(key, record)));
    }

    fn put(&mut self, key: Key, record: Record) {
        self.changes.push(Change::Record(Write::Put(key, record)));
    }

    fn delete(&mut self, key: Key) {
        self.changes.push(Change::Record(Write::Delete(key)));
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        self.changes
            .push(Change::Record(Write::Append(ino, chunk, slices.to_vec())));
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.changes.push(Change::Record(Write::NewSlice(id, size)));
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.changes
            .push(Change::Record(Write::AddOwners(id, size, delta)));
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        self.changes
            .push(Change::Record(Write::AddCounter(counter, delta)));
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.changes
            .push(Change::Record(Write::AddDirStat(directory, delta)));
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.changes
            .push(Change::Record(Write::AddQuota(quota, space, inodes)));
    }

    fn add_parent(&mut self, ino: Ino, directory: Ino, delta: i64) {
        self.changes.push(Change::Parent(ino, directory, delta));
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.changes.push(Change::Attachments(ino));
    }

    /// Takes an id from the counter at once, as the original does (spec 30-redis section 3).
    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let id = self.engine.add_to_counter(Counter::AclMaxId, 1).await?;
        let id = u32::try_from(id)
            .map(AclId)
            .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))?;
        self.insert(Key::Acl(id), Record::Acl(rule.clone()));
        Ok(id)
    }

    fn append_changelog(&mut self, line: String) {
        self.changes.push(Change::Line(line));
    }
}
