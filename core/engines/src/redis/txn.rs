//! The verbs' side of a transaction: reads remember the values that were decided on, writes are collected.

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, LockedSet, Page, Read, ReadSet, Record, Records, Scan, Survey, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Ino, Name, QuotaKey, Result,
    Slice, SliceId,
};
use redis::{Cmd, Value};

use super::cells::{Cell, cells, decode};
use super::found::Found;
use super::locked::{RedisTxn, node_of};
use super::reader::{hash_scan, values_of};
use super::view::merged;
use crate::collected::Change;
use crate::entries::records_only;
use crate::write::Write;

#[async_trait]
impl Read for RedisTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.reader.values(keys).await?;
        keys.iter()
            .zip(found)
            .map(|(key, values)| Ok(self.collected.view(key, decode(key, &values)?)))
            .collect()
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        if self.collected.changes.is_empty() {
            return self.reader.survey(range, after, limit).await;
        }
        let committed = self.reader.whole(range).await?;
        Ok(merged(&self.collected, range, committed).page(after, limit))
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        records_only(self.survey(range, after, limit).await?).whole()
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
        let mut listed = self.reader.with_attributes(page, attributes).await?;
        for item in listed.iter_mut().filter(|_| attributes) {
            let key = Key::Node(item.entry.ino);
            item.attr = node_of(self.collected.view(&key, item.attr.take().map(Record::Node)));
        }
        Ok(listed)
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let committed = self.reader.parents(ino).await?;
        Ok(self.collected.parents(ino, committed))
    }
}

#[async_trait]
impl Txn for RedisTxn<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let wanted: Vec<Vec<Cell>> = keys.iter().map(|key| cells(&self.reader.layout, key)).collect();
        let values = match self.recall(&wanted, &[])? {
            Some(recalled) => recalled.values,
            None => {
                let commands = wanted.iter().flatten().map(Cell::read).collect();
                let mut answers = self.ask(commands).await?.into_iter();
                values_of(&wanted, &mut answers)?
            }
        };
        keys.iter()
            .zip(wanted)
            .zip(values)
            .map(|((key, cells), values)| self.note_record(key, cells, values))
            .collect()
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let children = [(parent, name)];
        let set = ReadSet {
            children: &children,
            ..ReadSet::default()
        };
        Ok(self.lock_set(set).await?.child())
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        let cell = Cell::Fields(self.reader.layout.directory(directory));
        let range = Scan::Edges(directory);
        let value = match self.lengths.get(&directory) {
            Some(length) => Some(length.to_string().into_bytes()),
            None => {
                let answer = self.ask(vec![cell.read()]).await?.pop();
                cell.value(answer.unwrap_or(Value::Nil))?
            }
        };
        let empty = value.as_deref() == Some(b"0");
        self.remember(cell, value);
        if !self.collected.touches(&range) {
            return Ok(empty);
        }
        let committed = self.reader.whole(&range).await?;
        Ok(merged(&self.collected, &range, committed).records.is_empty())
    }

    /// One round trip for the ranges that are one hash, more for chunks.
    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let set = ReadSet {
            range: Some(range),
            ..ReadSet::default()
        };
        Ok(self.lock_set(set).await?.range)
    }

    /// One round trip for all of it, none when all of it is remembered; one more for entries where scripts are not
    /// allowed, for those written by this transaction itself, and for a range that is no hash.
    async fn lock_set(&mut self, set: ReadSet<'_>) -> Result<LockedSet> {
        let reader = self.reader;
        let wanted: Vec<Vec<Cell>> = set.keys.iter().map(|key| cells(&reader.layout, key)).collect();
        let table = set.range.and_then(|range| reader.layout.hash_of(range));
        let recalled = match set.range {
            None => self.recall(&wanted, set.children)?,
            Some(_) => None,
        };
        let (values, found, first) = match recalled {
            Some(recalled) => (recalled.values, recalled.children, None),
            None => {
                let mut commands: Vec<Cmd> = wanted.iter().flatten().map(Cell::read).collect();
                let children = set.children.iter();
                commands.extend(children.map(|(parent, name)| reader.child_command(*parent, name)));
                commands.extend(table.as_ref().map(|table| hash_scan(table, b"0")));
                let mut answers = self.ask(commands).await?.into_iter();
                let values = values_of(&wanted, &mut answers)?;
                let found = answers.by_ref().take(set.children.len());
                let found = reader.children(set.children, found).await?;
                (values, found, answers.next())
            }
        };

        let mut records = Vec::with_capacity(set.keys.len());
        for ((key, cells), values) in set.keys.iter().zip(wanted).zip(values) {
            records.push(self.note_record(key, cells, values)?);
        }
        let mut children = Vec::with_capacity(found.len());
        for ((parent, name), child) in set.children.iter().zip(found) {
            let edge = Key::Edge(*parent, Name::clone(name));
            children.push(if self.collected.has(&edge) {
                self.written_child(edge).await?
            } else {
                self.note_child(*parent, name, child)?
            });
        }
        let range = match (set.range, table, first) {
            (Some(range), Some(table), Some(first)) => {
                let fields = reader.fields_from(&table, first).await?;
                let committed = self.note_hash(range, &table, fields.into_iter())?;
                merged(&self.collected, range, committed)
            }
            (Some(range), ..) => {
                let committed = self.lock_keys_of(range).await?;
                merged(&self.collected, range, committed)
            }
            (None, ..) => Found::default(),
        };
        let range = range.records.into_iter();
        Ok(LockedSet {
            records: Records::from(records),
            children,
            range: range
                .map(|(key, record)| Ok((key, record?)))
                .collect::<Result<_>>()?,
        })
    }

    fn insert(&mut self, key: Key, record: Record) {
        if self.collected.has(&key) {
            if self.collected.view(&key, None).is_some() {
                self.clash = Some(key.clone());
            }
        } else {
            // An insertion that nobody decided on is compared too.
            for cell in cells(&self.reader.layout, &key).into_iter().take(1) {
                if self.seen.get(&cell).is_some_and(Option::is_some) {
                    self.clash = Some(key.clone());
                }
                self.remember(cell, None);
            }
        }
        self.collect(Write::Insert(key, record));
    }

    fn put(&mut self, key: Key, record: Record) {
        self.collect(Write::Put(key, record));
    }

    fn delete(&mut self, key: Key) {
        self.collect(Write::Delete(key));
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        self.collect(Write::Append(ino, chunk, slices.to_vec()));
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.collect(Write::NewSlice(id, size));
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.collect(Write::AddOwners(id, size, delta));
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        self.collect(Write::AddCounter(counter, delta));
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.collect(Write::AddDirStat(directory, delta));
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.collect(Write::AddQuota(quota, space, inodes));
    }

    fn add_parent(&mut self, ino: Ino, directory: Ino, delta: i64) {
        self.collected.changes.push(Change::Parent(ino, directory, delta));
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.collected.changes.push(Change::Attachments(ino));
    }

    /// Takes an id from the counter at once, as the original does (spec 30-redis section 3).
    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let id = self.reader.add_to_counter(Counter::AclMaxId, 1).await?;
        let id = u32::try_from(id)
            .map(AclId)
            .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))?;
        self.insert(Key::Acl(id), Record::Acl(rule.clone()));
        Ok(id)
    }

    fn append_changelog(&mut self, line: String) {
        self.collected.changes.push(Change::Line(line));
    }
}
