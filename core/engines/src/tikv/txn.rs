//! A transaction: all of its reads are of the moment at which it began, its writes are collected.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_meta::{
    DirectoryEntry, Engine as _, Key, LockedSet, Page, Read, ReadSet, Record, Records, Scan, Survey, Txn,
};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Ino, Name, QuotaKey, Result,
    Slice, SliceId,
};
use parking_lot::Mutex;
use tikv_client::Transaction;

use super::commit::{Failed, Outgoing};
use super::layout::Named;
use super::locks;
use super::reader::Reader;
use super::staged::{Before, Staged, Staging, bases};
use super::values::decode;
use super::{Shared, TikvEngine};
use crate::collected::{Change, Collected, Found, page};
use crate::entries::{attributes, entries, records_only};
use crate::sums::is_summed;
use crate::write::Write;

pub(super) struct TikvTxn {
    shared: Arc<Shared>,
    reader: Reader,
    transaction: Transaction,
    /// Values that were read.
    before: Mutex<Before>,
    /// Keys that decisions rest on.
    locked: BTreeSet<Vec<u8>>,
    collected: Collected,
}

impl TikvTxn {
    pub(super) async fn begin(shared: &Arc<Shared>) -> Result<TikvTxn> {
        let (transaction, moment) = shared.link.begin().await?;
        Ok(TikvTxn {
            shared: Arc::clone(shared),
            reader: Reader {
                layout: Arc::clone(&shared.layout),
                moment,
            },
            transaction,
            before: Mutex::default(),
            locked: BTreeSet::new(),
            collected: Collected::default(),
        })
    }

    /// Collects changes that were made elsewhere.
    pub(super) fn collect(&mut self, changes: impl IntoIterator<Item = Write>) {
        self.collected
            .changes
            .extend(changes.into_iter().map(Change::Record));
    }

    /// Reads what was not read yet, in one round trip per region.
    async fn load(&self, keys: Vec<Vec<u8>>) -> Result<()> {
        let wanted: BTreeSet<Vec<u8>> = {
            let before = self.before.lock();
            keys.into_iter().filter(|key| !before.contains_key(key)).collect()
        };
        let wanted = Vec::from_iter(wanted);
        let mut values = self.reader.moment.values(&wanted).await?;
        let mut before = self.before.lock();
        for key in wanted {
            let value = values.remove(&key);
            before.insert(key, value);
        }
        Ok(())
    }

    /// A record as this transaction sees it, from what was loaded.
    fn view(&self, key: &Key) -> Result<Option<Record>> {
        let committed = {
            let before = self.before.lock();
            let stored = self.reader.layout.keys(key);
            let values: Vec<Option<&[u8]>> = stored
                .iter()
                .map(|place| before.get(place).and_then(Option::as_deref))
                .collect();
            decode(key, &values)?
        };
        Ok(self.collected.view(key, self.shared.with_sums(key, committed)))
    }

    fn stored(&self, keys: &[Key]) -> Vec<Vec<u8>> {
        keys.iter().flat_map(|key| self.reader.layout.keys(key)).collect()
    }

    /// The entries among children and the nodes that they point to, once those have been loaded.
    fn edges(&self, children: &[(Ino, &Name)]) -> Result<Vec<Option<Entry>>> {
        let found = children.iter().map(|(parent, name)| {
            let edge = Key::Edge(*parent, Name::clone(name));
            Ok(match self.view(&edge)? {
                Some(Record::Edge(entry)) => Some(entry),
                _ => None,
            })
        });
        found.collect()
    }

    /// Entries and nodes of which at least the entries have been loaded.
    async fn lock_loaded(&mut self, children: &[(Ino, &Name)]) -> Result<Vec<Option<(Entry, Option<Attr>)>>> {
        let entries = self.edges(children)?;
        let nodes: Vec<Vec<u8>> = entries
            .iter()
            .flatten()
            .map(|entry| self.reader.layout.node(entry.ino))
            .collect();
        self.load(nodes.clone()).await?;
        self.locked.extend(nodes);
        let mut found = Vec::with_capacity(children.len());
        for ((parent, name), entry) in children.iter().zip(entries) {
            let edge = Key::Edge(*parent, Name::clone(name));
            self.locked.extend(self.reader.layout.keys(&edge));
            found.push(match entry {
                None => None,
                Some(entry) => {
                    let place = (*parent, Name::clone(name));
                    self.shared.guesses.insert(place, entry.ino);
                    Some((entry, attributes(self.view(&Key::Node(entry.ino))?)))
                }
            });
        }
        Ok(found)
    }

    /// The key of a range that is one value.
    fn one_value(&self, range: &Scan) -> Option<Vec<u8>> {
        match range {
            Scan::FileLocks(_) | Scan::RecordLocks(_) => {
                let span = self.reader.layout.spans(range).into_iter().next();
                span.map(|(key, _)| key)
            }
            _ => None,
        }
    }

    /// The committed records of a range that is decided on.
    async fn lock_committed(&mut self, range: &Scan) -> Result<Found> {
        if let Some(place) = self.one_value(range) {
            self.load(vec![place.clone()]).await?;
            let value = self
                .before
                .lock()
                .get(&place)
                .cloned()
                .flatten()
                .unwrap_or_default();
            let found = match self.reader.layout.named(&place) {
                Some(Named::FileLocks(ino)) => locks::of_files(ino, &value),
                Some(Named::RecordLocks(ino)) => locks::of_records(ino, &value),
                _ => Ok(Vec::new()),
            };
            let found = found.map_err(|error| error.context(self.reader.layout.shown(&place)))?;
            self.locked.insert(place);
            return Ok(found.into_iter().map(|(key, record)| (key, Ok(record))).collect());
        }
        let found = self.reader.whole(range).await?;
        if let Scan::Edges(ino) | Scan::Chunks(ino) | Scan::Xattrs(ino) = range {
            self.locked.insert(self.reader.layout.node(*ino));
        }
        for key in found.keys() {
            self.locked.extend(self.reader.layout.keys(key));
        }
        Ok(found)
    }

    /// Remembers the inodes of new entries: they are looked up next.
    fn guess_entries(&self, changes: &[Change]) {
        for change in changes {
            if let Change::Record(Write::Insert(key, record) | Write::Put(key, record)) = change
                && let (Key::Edge(parent, name), Record::Edge(entry)) = (key, record)
            {
                self.shared.guesses.insert((*parent, name.clone()), entry.ino);
            }
        }
    }

    /// What this transaction changes. Reads what its relative changes start from: one round trip when that was not
    /// read before, and one per removed node.
    async fn staged(&mut self, write_sums: bool) -> Result<Staged> {
        let layout = Arc::clone(&self.reader.layout);
        let changes = std::mem::take(&mut self.collected.changes);
        let bases = changes
            .iter()
            .flat_map(|change| bases(&layout, change, write_sums));
        let wanted = bases.chain(self.locked.iter().cloned()).collect();
        self.load(wanted).await?;
        self.guess_entries(&changes);
        let before = std::mem::take(self.before.get_mut());
        let mut staging = Staging {
            layout: &layout,
            before: &before,
            version: self.reader.moment.version(),
            write_sums,
            locked: std::mem::take(&mut self.locked),
            staged: Staged::default(),
        };
        for change in &changes {
            if let Change::Attachments(ino) = change {
                staging.remove_attachments(*ino, self.reader.attachments(*ino).await?);
            } else {
                staging.add(change)?;
            }
        }
        staging.finish()
    }

    /// Commits. Whatever becomes of the caller, the commit is brought to its end.
    pub(super) async fn commit(mut self, verb: &'static str, write_sums: bool) -> Result<(), Failed> {
        if self.collected.changes.is_empty() {
            return Ok(());
        }
        let staged = self.staged(write_sums).await.map_err(|error| Failed {
            error: error.context(verb),
            ..Failed::default()
        })?;
        let outgoing = Outgoing {
            shared: self.shared,
            verb,
            transaction: self.transaction,
            moment: self.reader.moment,
        };
        let sent = tokio::spawn(outgoing.send(staged));
        match sent.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed {
                error: Error::new(ErrorKind::Io, format!("{verb}: the commit was given up")),
                unknown: true,
                ..Failed::default()
            }),
        }
    }
}

#[async_trait]
impl Read for TikvTxn {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        // Usage is what it is now, with what this client has not written yet.
        let usage: Vec<Key> = keys.iter().filter(|key| is_summed(key)).cloned().collect();
        let mut usage = self.shared.records(&usage).await?.into_iter();
        self.load(self.stored(keys)).await?;
        keys.iter()
            .map(|key| {
                if is_summed(key) {
                    Ok(self.collected.view(key, usage.next().flatten()))
                } else {
                    self.view(key)
                }
            })
            .collect()
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        if !self.collected.touches(range) {
            return self.reader.survey(range, after, limit).await;
        }
        let committed = self.reader.whole(range).await?;
        Ok(page(self.collected.merge(range, committed), after, limit))
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        records_only(self.survey(range, after, limit).await?).whole()
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.load(self.stored(&[Key::Edge(parent, name.clone())])).await?;
        let Some(Some(entry)) = self.edges(&[(parent, name)])?.pop() else {
            return Ok(None);
        };
        let node = Key::Node(entry.ino);
        self.load(self.stored(std::slice::from_ref(&node))).await?;
        Ok(Some((entry, attributes(self.view(&node)?))))
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
        let mut listed = entries(page)?;
        if attributes {
            self.reader.add_attributes(&mut listed).await?;
            for item in &mut listed {
                let key = Key::Node(item.entry.ino);
                let committed = item.attr.take().map(Record::Node);
                item.attr = crate::entries::attributes(self.collected.view(&key, committed));
            }
        }
        Ok(listed)
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let committed = self.reader.parents(ino).await?;
        Ok(self.collected.parents(ino, committed))
    }
}

#[async_trait]
impl Txn for TikvTxn {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let stored = self.stored(keys);
        self.load(stored.clone()).await?;
        self.locked.extend(stored);
        keys.iter().map(|key| self.view(key)).collect()
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let children = [(parent, name)];
        let set = ReadSet {
            children: &children,
            ..ReadSet::default()
        };
        Ok(self.lock_set(set).await?.child())
    }

    /// One round trip. Whoever adds an entry locks its directory, too.
    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        self.locked.insert(self.reader.layout.node(directory));
        let range = Scan::Edges(directory);
        if !self.collected.touches(&range) {
            return self.reader.is_directory_empty(directory).await;
        }
        let committed = self.reader.whole(&range).await?;
        Ok(self.collected.merge(&range, committed).is_empty())
    }

    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let committed = self.lock_committed(range).await?;
        let merged = self.collected.merge(range, committed);
        merged
            .into_iter()
            .map(|(key, record)| Ok((key, record?)))
            .collect()
    }

    /// One round trip; one more for nodes whose inodes were not guessed from an earlier read of their names, and for a
    /// range that is not one value.
    async fn lock_set(&mut self, set: ReadSet<'_>) -> Result<LockedSet> {
        let mut wanted = self.stored(set.keys);
        for (parent, name) in set.children {
            let place = (*parent, Name::clone(name));
            wanted.extend(
                self.shared
                    .guesses
                    .get(&place)
                    .map(|ino| self.reader.layout.node(ino)),
            );
            wanted.extend(self.reader.layout.keys(&Key::Edge(place.0, place.1)));
        }
        wanted.extend(set.range.and_then(|range| self.one_value(range)));
        self.load(wanted).await?;
        let records = if set.keys.is_empty() {
            Vec::new()
        } else {
            self.lock(set.keys).await?
        };
        let children = self.lock_loaded(set.children).await?;
        let range = match set.range {
            Some(range) => self.lock_range(range).await?,
            None => Vec::new(),
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

    fn add_parent(&mut self, ino: Ino, directory: Ino, delta: i64) {
        self.collected.changes.push(Change::Parent(ino, directory, delta));
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.collected.changes.push(Change::Attachments(ino));
    }

    /// Takes an id from the counter at once, in a transaction of its own, as the original does.
    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let engine = TikvEngine {
            shared: Arc::clone(&self.shared),
        };
        let id = engine.allocate(Counter::AclMaxId, 1).await?;
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
