//! A transaction: reads remember the rows that were decided on, writes are collected.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, LockedSet, Read, ReadSet, Record, Records, Scan, Survey, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Ino, Name, QuotaKey, Result, Slice, SliceId,
};

use super::SqlEngine;
use super::reader::{Child, decoded_child};
use super::statement::Row;
use crate::collected::{Change, Collected, page};
use crate::entries::attributes;
use crate::relational::{Decoded, decode_value};
use crate::write::Write;

/// Rows that decisions rest on; the commit fails unless they are still the same.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Records as first read.
    pub(super) records: BTreeMap<Key, Option<Row>>,
    /// Whether directories were empty.
    pub(super) empty: BTreeMap<Ino, bool>,
    /// Ranges of locks and their numbers of records.
    pub(super) ranges: Vec<(Scan, usize)>,
    /// Nodes that stand for a range or for being empty: nobody else may decide on them before the commit.
    pub(super) held: BTreeSet<Ino>,
}

pub(super) struct SqlTxn<'e> {
    engine: &'e SqlEngine,
    pub(super) seen: Seen,
    pub(super) collected: Collected,
    /// Whether children that came with their entry were empty directories.
    known_empty: BTreeMap<Ino, bool>,
}

impl<'e> SqlTxn<'e> {
    pub(super) fn new(engine: &'e SqlEngine) -> Self {
        SqlTxn {
            engine,
            seen: Seen::default(),
            collected: Collected::default(),
            known_empty: BTreeMap::new(),
        }
    }

    fn remember(&mut self, key: Key, row: Option<Row>) {
        self.seen.records.entry(key).or_insert(row);
    }

    fn note_child(
        &mut self,
        parent: Ino,
        name: &Name,
        child: Option<Child>,
    ) -> Result<Option<(Entry, Option<Attr>)>> {
        let edge = Key::Edge(parent, name.clone());
        let Some(child) = child else {
            self.remember(edge, None);
            return Ok(None);
        };
        self.remember(edge, Some(child.edge_row));
        let key = Key::Node(child.entry.ino);
        let node = self.engine.record(&key, child.node_row.as_ref())?;
        let node = self.collected.view(&key, node);
        self.remember(key, child.node_row);
        self.known_empty.insert(child.entry.ino, child.empty);
        Ok(Some((child.entry, attributes(node))))
    }

    fn note_range(&mut self, range: &Scan, rows: Vec<(Decoded, Row)>) -> Result<Vec<(Key, Record)>> {
        self.seen.ranges.push((range.clone(), rows.len()));
        if let Scan::FileLocks(ino) | Scan::RecordLocks(ino) | Scan::Chunks(ino) = range {
            self.seen.held.insert(*ino);
        }
        let mut found = BTreeMap::new();
        for (decoded, values) in rows {
            // A row that can not be read keeps nobody from locking.
            if let Ok((key, record)) = decoded {
                self.remember(key.clone(), Some(values));
                found.insert(key, Ok(record));
            }
        }
        let merged = self.collected.merge(range, found);
        merged
            .into_iter()
            .map(|(key, record)| Ok((key, record?)))
            .collect()
    }
}

#[async_trait]
impl Read for SqlTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.engine.read(keys).await?;
        let pairs = keys.iter().zip(found);
        Ok(pairs
            .map(|(key, record)| self.collected.view(key, record))
            .collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        if !self.collected.touches(range) {
            return self.engine.survey(range, after, limit).await;
        }
        let found = self.engine.whole(range).await?;
        Ok(page(self.collected.merge(range, found), after, limit))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        if self.collected.changes.is_empty() {
            return self
                .engine
                .read_directory(directory, after, limit, attributes)
                .await;
        }
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let entries = self.scan(&Scan::Edges(directory), after.as_ref(), limit).await?;
        let mut listed: Vec<DirectoryEntry> = Vec::with_capacity(entries.items.len());
        for (key, record) in entries.items {
            if let (Key::Edge(_, name), Record::Edge(entry)) = (key, record) {
                listed.push(DirectoryEntry {
                    name,
                    entry,
                    attr: None,
                    damaged: false,
                });
            }
        }
        if attributes {
            let keys: Vec<Key> = listed.iter().map(|item| Key::Node(item.entry.ino)).collect();
            let rows = self.engine.rows(&keys).await?;
            for ((item, key), row) in listed.iter_mut().zip(&keys).zip(rows) {
                match row.map(|row| decode_value(key, &row, 0)).transpose() {
                    Ok(found) => {
                        if let Some(Record::Node(attr)) = self.collected.view(key, found) {
                            item.attr = Some(attr);
                        }
                    }
                    Err(_) => item.damaged = true,
                }
            }
        }
        Ok(listed)
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let edges: Vec<Key> = self
            .collected
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Record(write) => Some(write.key()),
                _ => None,
            })
            .filter(|key| matches!(key, Key::Edge(..)))
            .collect();
        let mut counts: BTreeMap<Ino, i64> = self
            .engine
            .parents(ino)
            .await?
            .into_iter()
            .map(|(parent, count)| (parent, i64::from(count)))
            .collect();
        if !edges.is_empty() {
            // The collected entries count instead of the stored ones.
            let points_here = |record: &Option<Record>| -> bool {
                matches!(record, Some(Record::Edge(entry)) if entry.ino == ino)
            };
            let before = self.engine.read(&edges).await?;
            let distinct: BTreeMap<Key, Option<Record>> = edges.into_iter().zip(before).collect();
            for (key, before) in distinct {
                let Key::Edge(parent, _) = &key else { continue };
                let count = counts.entry(*parent).or_default();
                *count -= i64::from(points_here(&before));
                *count += i64::from(points_here(&self.collected.view(&key, before)));
            }
        }
        let left = counts.into_iter().filter(|(_, count)| *count > 0);
        Ok(left
            .map(|(parent, count)| (parent, u32::try_from(count).unwrap_or(u32::MAX)))
            .collect())
    }
}

#[async_trait]
impl Txn for SqlTxn<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.engine.records(keys).await?;
        let mut records = Vec::with_capacity(keys.len());
        for (key, (row, record)) in keys.iter().zip(found) {
            self.remember(key.clone(), row);
            records.push(self.collected.view(key, record));
        }
        Ok(records)
    }

    /// One round trip, and with it is known whether a directory is empty.
    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let edge = Key::Edge(parent, name.clone());
        if self.collected.has(&edge) {
            let Some(Record::Edge(entry)) = self.lock(&[edge]).await?.pop().flatten() else {
                return Ok(None);
            };
            let node = self.lock(&[Key::Node(entry.ino)]).await?.pop().flatten();
            return Ok(Some((entry, attributes(node))));
        }
        let child = self.engine.child(parent, name).await?;
        self.note_child(parent, name, child)
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        let empty = match self.known_empty.get(&directory) {
            Some(known) => *known,
            None => self.engine.is_directory_empty(directory).await?,
        };
        self.seen.empty.entry(directory).or_insert(empty);
        self.seen.held.insert(directory);
        let range = Scan::Edges(directory);
        if !self.collected.touches(&range) {
            return Ok(empty);
        }
        let found = self.engine.whole(&range).await?;
        Ok(self.collected.merge(&range, found).is_empty())
    }

    /// One round trip per part of the range and per 1000 records.
    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let rows = self.engine.whole_rows(range).await?;
        self.note_range(range, rows)
    }

    /// One round trip, also with directories and whether they are empty; more for a range that is not small.
    async fn lock_set(&mut self, set: ReadSet<'_>) -> Result<LockedSet> {
        let _still = self.engine.hold_sums(set.keys).await;
        let answers = self.engine.ask_all(|statements| {
            let keys = set.keys.iter().map(|key| statements.get(key));
            let children = set.children.iter();
            let children = children.map(|(parent, name)| statements.child(*parent, name));
            let range = set
                .range
                .and_then(|range| SqlEngine::small_range(statements, range));
            keys.chain(children).chain(range).collect()
        });
        let mut answers = answers.await?.into_iter();
        let mut records = Vec::with_capacity(set.keys.len());
        for key in set.keys {
            let row = answers.next().and_then(|rows| rows.into_iter().next());
            let record = self.engine.record(key, row.as_ref())?;
            self.remember(key.clone(), row);
            records.push(self.collected.view(key, record));
        }
        let mut children = Vec::with_capacity(set.children.len());
        for (parent, name) in set.children {
            let row = answers.next().and_then(|rows| rows.into_iter().next());
            children.push(if self.collected.has(&Key::Edge(*parent, Name::clone(name))) {
                self.lock_child(*parent, name).await?
            } else {
                self.note_child(*parent, name, decoded_child(*parent, name, row)?)?
            });
        }
        let range = match set.range {
            None => Vec::new(),
            Some(range) => match SqlEngine::decoded_range(range, answers.next().unwrap_or_default())? {
                Some(rows) => self.note_range(range, rows)?,
                None => self.lock_range(range).await?,
            },
        };
        Ok(LockedSet {
            records: Records::from(records),
            children,
            range,
        })
    }

    fn insert(&mut self, key: Key, record: Record) {
        self.collected.push(Write::Insert(key, record));
    }

    fn put(&mut self, key: Key, record: Record) {
        self.collected.push(Write::Put(key, record));
    }

    fn delete(&mut self, key: Key) {
        self.collected.push(Write::Delete(key));
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        self.collected.push(Write::Append(ino, chunk, slices.to_vec()));
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.collected.push(Write::NewSlice(id, size));
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.collected.push(Write::AddOwners(id, size, delta));
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        self.collected.push(Write::AddCounter(counter, delta));
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.collected.push(Write::AddDirStat(directory, delta));
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.collected.push(Write::AddQuota(quota, space, inodes));
    }

    fn add_parent(&mut self, _ino: Ino, _directory: Ino, _delta: i64) {
        // Parents are found through the index of the entries.
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.collected.changes.push(Change::Attachments(ino));
    }

    /// The table numbers its rows. The id is taken at once and lost when the transaction fails.
    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let id = self.engine.next_acl_id().await?;
        self.insert(Key::Acl(id), Record::Acl(rule.clone()));
        Ok(id)
    }

    fn append_changelog(&mut self, line: String) {
        self.collected.changes.push(Change::Line(line));
    }
}
