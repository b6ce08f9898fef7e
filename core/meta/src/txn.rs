//! What a verb may do: read, read to decide, and collect writes.

use async_trait::async_trait;
use moorage_model::{Attr, ChunkIndex, Counter, DirStat, Entry, Ino, Name, QuotaKey, Result, Slice, SliceId};

use crate::{DirectoryEntry, Key, Page, Record, Records, Scan, Survey};

/// What a verb asks for at once to decide on ([`Txn::lock_set`]).
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadSet<'r> {
    /// Records, as [`Txn::lock`] reads them.
    pub keys: &'r [Key],
    /// Entries by directory and name with the nodes they point to, as [`Txn::lock_child`] reads them.
    pub children: &'r [(Ino, &'r Name)],
    /// A small range, as [`Txn::lock_range`] reads it.
    pub range: Option<&'r Scan>,
}

/// The answer to a [`ReadSet`], each part in the order asked for.
#[derive(Debug)]
pub struct LockedSet {
    /// Of [`ReadSet::keys`].
    pub records: Records,
    /// Of [`ReadSet::children`].
    pub children: Vec<Option<(Entry, Option<Attr>)>>,
    /// Of [`ReadSet::range`].
    pub range: Vec<(Key, Record)>,
}

impl LockedSet {
    /// Takes out the answer for the first of [`ReadSet::children`] that has not been taken yet; `None` where the
    /// directory has no such entry.
    pub fn child(&mut self) -> Option<(Entry, Option<Attr>)> {
        if self.children.is_empty() {
            None
        } else {
            self.children.remove(0)
        }
    }
}

/// Reads of committed records (of the transaction's own state inside a [`Txn`]).
///
/// # Cancel safety
/// Every method may be dropped at any await.
#[async_trait]
pub trait Read: Send + Sync {
    /// Reads records in one round trip; `None` where a record does not exist, in the order of `keys`.
    ///
    /// # Errors
    /// `Corrupt` naming the damaged record; `Unavailable` or `Timeout` when the engine does not answer.
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>>;

    /// One page of a range: about `limit` records behind `after`, a key that an earlier page ended with
    /// (it need not exist any more). Records that can not be read are told apart from the others, so that one of them
    /// hides nothing behind it.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the engine does not answer; `Corrupt` when not even the rows can be read.
    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey>;

    /// As [`Read::survey`], for those who can do nothing without every record: at most `limit` of them.
    ///
    /// # Errors
    /// Those of [`Read::survey`]; `Corrupt` naming the first damaged record of the page.
    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        self.survey(range, after, limit).await?.whole()
    }

    /// Entry and attributes of a child; the attributes are `None` when the node record is missing.
    /// Two round trips; one where the engine can join, and does.
    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let edge = self.read(&[Key::Edge(parent, name.clone())]).await?.pop();
        let Some(Some(Record::Edge(entry))) = edge else {
            return Ok(None);
        };
        let attr = match self.read(&[Key::Node(entry.ino)]).await?.pop() {
            Some(Some(Record::Node(attr))) => Some(attr),
            _ => None,
        };
        Ok(Some((entry, attr)))
    }

    /// One page of a directory by name bytes, at most `limit` entries with a name above `after`.
    /// With `attributes`, each entry carries those of its node, or says that they can not be read.
    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>>;

    /// Directories that hold an entry for `ino`, each with the number of its entries there.
    /// Complete only for nodes whose attribute parent is [`Ino::NONE`].
    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>>;
}

/// A running transaction. Reads see its own writes.
///
/// A verb decides only on what it read with `lock*`: that is the declared read set, on which the engine
/// detects conflicts (row locks, compared keys, write locks). The writes are collected; whatever they do wrong
/// is reported by the commit. Dropping the transaction leaves nothing behind.
#[async_trait]
pub trait Txn: Read {
    /// Reads records and decides on them: conflicts on any of them, also on absent ones, restart the verb.
    /// SQL engines lock node rows in inode order whatever the order of `keys`.
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>>;

    /// Locks an entry, the node it points to and, when it is a directory, its being empty or not.
    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>>;

    /// Whether a directory has an entry, as a locked read: an entry made by another client conflicts.
    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool>;

    /// Reads every record of a small range and decides on all of it: a record of another client that changes, goes
    /// or appears in it is a conflict. For the locks of one inode ([`Scan::FileLocks`], [`Scan::RecordLocks`]),
    /// whose node the verb locks first where the layout has one row per lock.
    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>>;

    /// Everything that a verb decides on, locked in this order: records, children, range. The same as the single
    /// calls, in one round trip where the engine can send them together.
    ///
    /// # Errors
    /// Those of [`Read::read`].
    async fn lock_set(&mut self, set: ReadSet<'_>) -> Result<LockedSet> {
        let records = if set.keys.is_empty() {
            Vec::new()
        } else {
            self.lock(set.keys).await?
        };
        let mut children = Vec::with_capacity(set.children.len());
        for (parent, name) in set.children {
            children.push(self.lock_child(*parent, name).await?);
        }
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

    /// Stores a record that must not exist yet; one that does is a conflict and restarts the verb.
    fn insert(&mut self, key: Key, record: Record);

    /// Stores a record, replacing the one there. Not for counters, slice lists that only grow, owners,
    /// statistics and usage: those change by the relative writes below.
    fn put(&mut self, key: Key, record: Record);

    /// Removes a record if it is there.
    fn delete(&mut self, key: Key);

    /// Appends to a chunk's slice list, making it when absent.
    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]);

    /// Notes that a new slice was written with one owner (SQL: a row; Redis and TKV: nothing).
    fn new_slice(&mut self, id: SliceId, size: u32);

    /// Changes the number of owners of a slice.
    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64);

    /// Changes a counter.
    fn add_counter(&mut self, counter: Counter, delta: i64);

    /// Changes directory statistics, if the record exists.
    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat);

    /// Changes the usage of a quota, if the record exists.
    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64);

    /// Changes the number of entries that `directory` holds for the hard-linked `ino`
    /// (engines that find parents through their entries do nothing).
    fn add_parent(&mut self, ino: Ino, directory: Ino, delta: i64);

    /// Removes every record of these kinds that belongs to a removed node: xattrs, parent counts.
    fn delete_attachments(&mut self, ino: Ino);

    /// Allocates an ACL id and stores the rule; awaits because some engines take the id from a sequence.
    async fn insert_acl(&mut self, rule: &moorage_model::AclRule) -> Result<moorage_model::AclId>;

    /// Appends a changelog line (spec 70-semantics section 14).
    fn append_changelog(&mut self, line: String);
}

/// Typed shorthands over [`Txn`] and [`Read`].
#[async_trait]
pub trait TxnExt {
    /// [`Read::read`] with typed access to the answer.
    async fn get(&self, keys: &[Key]) -> Result<Records>;
}

#[async_trait]
impl<R: Read + ?Sized> TxnExt for R {
    async fn get(&self, keys: &[Key]) -> Result<Records> {
        self.read(keys).await.map(Records::from)
    }
}

impl dyn Txn + '_ {
    /// [`Txn::lock`] with typed access to the answer.
    pub async fn get_locked(&mut self, keys: &[Key]) -> Result<Records> {
        self.lock(keys).await.map(Records::from)
    }

    /// Locks one node.
    pub async fn lock_node(&mut self, ino: Ino) -> Result<Option<Attr>> {
        self.get_locked(&[Key::Node(ino)]).await?.node()
    }
}
