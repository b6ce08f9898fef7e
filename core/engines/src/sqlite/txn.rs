//! A job's transaction: writes go straight into the open SQLite transaction, so its reads see them.

use std::collections::HashMap;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, Page, Read, Record, Scan, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DelayedSlice, DirStat, Entry, Error, ErrorKind, Ino, Name,
    Quota, QuotaKey, RecordLocks, Result, SessionId, Slice, SliceId, encode_slices,
};
use parking_lot::Mutex;
use rusqlite::{Connection, Params};

use super::failure::Context as _;
use super::layout::{Statements, encode_node};
use super::read::{View, owner_quota_key};

/// Records read at once of a range that is read whole.
const RANGE_PAGE: usize = 1000;

/// Relative changes that a group of jobs shares: applied once, in the group's own transaction, so that the
/// counters equal a full scan even after the process is killed.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    counters: HashMap<Counter, i64>,
    dir_stats: HashMap<Ino, DirStat>,
    quotas: HashMap<QuotaKey, (i64, i64)>,
}

impl Deltas {
    /// Takes over the changes of a job that succeeded.
    pub(super) fn merge(&mut self, other: Deltas) {
        for (counter, delta) in other.counters {
            *self.counters.entry(counter).or_default() += delta;
        }
        for (ino, delta) in other.dir_stats {
            *self.dir_stats.entry(ino).or_default() += delta;
        }
        for (key, (space, inodes)) in other.quotas {
            let total = self.quotas.entry(key).or_default();
            total.0 += space;
            total.1 += inodes;
        }
    }

    /// A record as it will be once the sums are written.
    fn adjust(&self, key: &Key, record: &mut Option<Record>) {
        match (key, record) {
            (Key::Counter(counter), found) => {
                let delta = self.counters.get(counter).copied().unwrap_or(0);
                if delta != 0 {
                    let value = if let Some(Record::Counter(value)) = found {
                        *value
                    } else {
                        0
                    };
                    *found = Some(Record::Counter(value.saturating_add(delta)));
                }
            }
            (Key::DirStat(ino), Some(Record::DirStat(stat))) => {
                *stat += self.dir_stats.get(ino).copied().unwrap_or_default();
            }
            (Key::Quota(key), Some(Record::Quota(quota))) => {
                let (space, inodes) = self.quotas.get(key).copied().unwrap_or_default();
                quota.used_space = quota.used_space.saturating_add(space);
                quota.used_inodes = quota.used_inodes.saturating_add(inodes);
            }
            _ => {}
        }
    }

    /// Writes the sums: one statement per counter, directory and quota that changed.
    pub(super) fn apply(&self, view: View<'_>) -> Result<()> {
        for (counter, delta) in self.counters.iter().filter(|(_, delta)| **delta != 0) {
            add_counter(view, *counter, *delta)?;
        }
        for (ino, delta) in self.dir_stats.iter().filter(|(_, delta)| !delta.is_zero()) {
            let parameters = (ino.0.cast_signed(), delta.length, delta.space, delta.inodes);
            execute(view, &view.sql.add_dir_stat, parameters, || {
                format!("statistics of directory {ino}")
            })?;
        }
        let prefix = &view.sql.prefix;
        for (key, (space, inodes)) in self.quotas.iter().filter(|(_, delta)| **delta != (0, 0)) {
            let (kind, id) = owner_quota_key(*key);
            let what = || format!("usage of quota {key:?}");
            if let QuotaKey::Directory(_) = key {
                let sql = format!(
                    "UPDATE `{prefix}dir_quota` SET used_space = used_space + ?2, used_inodes = used_inodes + ?3 \
                     WHERE inode = ?1"
                );
                execute(view, &sql, (id, space, inodes), what)?;
            } else {
                // A record exists for every owner seen (spec 70-semantics section 8), with no limits.
                let sql = format!(
                    "INSERT INTO `{prefix}user_group_quota` (qtype, qkey, max_space, max_inodes, used_space, used_inodes) \
                     VALUES (?1, ?2, -1, -1, ?3, ?4) ON CONFLICT (qtype, qkey) \
                     DO UPDATE SET used_space = used_space + ?3, used_inodes = used_inodes + ?4"
                );
                execute(view, &sql, (kind, id, space, inodes), what)?;
            }
        }
        Ok(())
    }
}

fn execute(view: View<'_>, sql: &str, parameters: impl Params, what: impl Fn() -> String) -> Result<usize> {
    let mut statement = view.connection.prepare_cached(sql).context(&what)?;
    statement.execute(parameters).context(what)
}

fn add_counter(view: View<'_>, counter: Counter, delta: i64) -> Result<()> {
    // Allocation counters hold the next free id, which starts at 2 for inodes and 1 for slices.
    let initial = match counter {
        Counter::NextInode => 2,
        Counter::NextChunk => 1,
        _ => 0,
    };
    execute(
        view,
        &view.sql.add_counter,
        (counter.name(), delta, initial + delta),
        || format!("counter {}", counter.name()),
    )
    .map(drop)
}

/// The transaction of one job.
pub(super) struct SqliteTxn<'w> {
    connection: &'w Mutex<Connection>,
    sql: &'w Statements,
    /// Sums of the jobs before this one in its group, not written yet.
    earlier: &'w Deltas,
    deltas: Deltas,
    failure: Option<Error>,
}

impl<'w> SqliteTxn<'w> {
    pub(super) fn new(connection: &'w Mutex<Connection>, sql: &'w Statements, earlier: &'w Deltas) -> Self {
        SqliteTxn {
            connection,
            sql,
            earlier,
            deltas: Deltas::default(),
            failure: None,
        }
    }

    /// The relative changes, or the first write that failed.
    pub(super) fn finish(self) -> Result<Deltas> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self.deltas),
        }
    }

    fn view<T>(&self, read: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        let connection = self.connection.lock();
        read(View {
            connection: &connection,
            sql: self.sql,
        })
    }

    fn write(&mut self, write: impl FnOnce(View<'_>) -> Result<()>) {
        if self.failure.is_none() {
            self.failure = self.view(write).err();
        }
    }

    fn statement(&mut self, sql: &str, parameters: impl Params, what: impl Fn() -> String) {
        self.write(|view| execute(view, sql, parameters, what).map(drop));
    }

    fn table(&self, name: &str) -> String {
        format!("`{}{name}`", self.sql.prefix)
    }

    fn store(&mut self, key: &Key, record: Record, insert: bool) {
        let sql = self.sql;
        let what = || format!("writing {key:?}");
        match (key, record) {
            (Key::Node(ino), Record::Node(attr)) => {
                let statement = if insert { &sql.insert_node } else { &sql.put_node };
                self.statement(statement, encode_node(*ino, &attr), what);
            }
            (Key::Edge(parent, name), Record::Edge(entry)) => {
                let statement = if insert { &sql.insert_edge } else { &sql.put_edge };
                let parameters = (
                    parent.0.cast_signed(),
                    name.as_bytes(),
                    entry.ino.0.cast_signed(),
                    i64::from(entry.kind.code()),
                );
                self.statement(statement, parameters, what);
            }
            (Key::Chunk(ino, index), Record::Chunk(slices)) => {
                let parameters = (ino.0.cast_signed(), i64::from(index.0), encode_slices(&slices));
                self.statement(&sql.put_chunk, parameters, what);
            }
            (Key::Counter(counter), Record::Counter(value)) => {
                self.statement(&sql.put_counter, (counter.name(), value), what);
            }
            (key, record) => self.store_rare(key, record, insert),
        }
    }

    fn store_rare(&mut self, key: &Key, record: Record, insert: bool) {
        let what = || format!("writing {key:?}");
        let verb = if insert { "INSERT" } else { "INSERT OR REPLACE" };
        match (key, record) {
            (Key::Setting, Record::Setting(text)) => {
                let sql = format!(
                    "{verb} INTO {} (name, value) VALUES ('format', ?1)",
                    self.table("setting")
                );
                self.statement(&sql, [text], what);
            }
            (Key::Symlink(ino), Record::Symlink(target)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, target) VALUES (?1, ?2)",
                    self.table("symlink")
                );
                self.statement(&sql, (ino.0.cast_signed(), target), what);
            }
            (Key::Xattr(ino, name), Record::Xattr(value)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, name, value) VALUES (?1, CAST(?2 AS TEXT), ?3)",
                    self.table("xattr")
                );
                self.statement(&sql, (ino.0.cast_signed(), name.as_slice(), value), what);
            }
            (Key::SliceRef(id, size), Record::Owners(owners)) => {
                let sql = format!(
                    "{verb} INTO {} (chunkid, size, refs) VALUES (?1, ?2, ?3)",
                    self.table("chunk_ref")
                );
                self.statement(&sql, (id.0.cast_signed(), *size, owners), what);
            }
            (Key::DelayedSlices(id, deleted), Record::DelayedSlices(slices)) => {
                let sql = format!(
                    "{verb} INTO {} (chunkid, deleted, slices) VALUES (?1, ?2, ?3)",
                    self.table("delslices")
                );
                self.statement(
                    &sql,
                    (id.0.cast_signed(), *deleted, DelayedSlice::encode_all(&slices)),
                    what,
                );
            }
            (Key::Session(sid), Record::Session(session)) => {
                let sql = format!(
                    "{verb} INTO {} (sid, expire, info) VALUES (?1, ?2, ?3)",
                    self.table("session2")
                );
                self.statement(
                    &sql,
                    (sid.0.cast_signed(), session.expire, session.info.as_bytes()),
                    what,
                );
            }
            (Key::Sustained(sid, ino), Record::Sustained) => {
                let sql = format!(
                    "{verb} INTO {} (sid, inode) VALUES (?1, ?2)",
                    self.table("sustained")
                );
                self.statement(&sql, (sid.0.cast_signed(), ino.0.cast_signed()), what);
            }
            (Key::DeletedFile(ino, length), Record::DeletedFile(deleted)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, length, expire) VALUES (?1, ?2, ?3)",
                    self.table("delfile")
                );
                self.statement(&sql, (ino.0.cast_signed(), length.cast_signed(), deleted), what);
            }
            (Key::FileLock(ino, sid, owner), Record::FileLock(kind)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, sid, owner, ltype) VALUES (?1, ?2, ?3, ?4)",
                    self.table("flock")
                );
                let parameters = (
                    ino.0.cast_signed(),
                    sid.0.cast_signed(),
                    owner.0.cast_signed(),
                    i64::from(kind.letter()),
                );
                self.statement(&sql, parameters, what);
            }
            (Key::RecordLocks(ino, sid, owner), Record::RecordLocks(ranges)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, sid, owner, records) VALUES (?1, ?2, ?3, ?4)",
                    self.table("plock")
                );
                let locks = RecordLocks {
                    session: *sid,
                    owner: *owner,
                    ranges,
                };
                let parameters = (
                    ino.0.cast_signed(),
                    sid.0.cast_signed(),
                    owner.0.cast_signed(),
                    locks.encode_ranges(),
                );
                self.statement(&sql, parameters, what);
            }
            (Key::DirStat(ino), Record::DirStat(stat)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, data_length, used_space, used_inodes) VALUES (?1, ?2, ?3, ?4)",
                    self.table("dir_stats")
                );
                self.statement(
                    &sql,
                    (ino.0.cast_signed(), stat.length, stat.space, stat.inodes),
                    what,
                );
            }
            (Key::Quota(quota_key), Record::Quota(quota)) => self.store_quota(verb, *quota_key, quota),
            (Key::Detached(ino), Record::Detached(added)) => {
                let sql = format!(
                    "{verb} INTO {} (inode, added) VALUES (?1, ?2)",
                    self.table("detached_node")
                );
                self.statement(&sql, (ino.0.cast_signed(), added), what);
            }
            (key, record) => self.write(|_| {
                Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{key:?} can not hold {record:?}"),
                ))
            }),
        }
    }

    fn store_quota(&mut self, verb: &str, key: QuotaKey, quota: Quota) {
        let (kind, id) = owner_quota_key(key);
        let what = || format!("writing quota {key:?}");
        let limits = (
            quota.max_space,
            quota.max_inodes,
            quota.used_space,
            quota.used_inodes,
        );
        if let QuotaKey::Directory(_) = key {
            let sql = format!(
                "{verb} INTO {} (inode, max_space, max_inodes, used_space, used_inodes) VALUES (?1, ?2, ?3, ?4, ?5)",
                self.table("dir_quota")
            );
            self.statement(&sql, (id, limits.0, limits.1, limits.2, limits.3), what);
        } else {
            let sql = format!(
                "{verb} INTO {} (qtype, qkey, max_space, max_inodes, used_space, used_inodes) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                self.table("user_group_quota")
            );
            self.statement(&sql, (kind, id, limits.0, limits.1, limits.2, limits.3), what);
        }
    }
}

#[async_trait]
impl Read for SqliteTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.view(|view| {
            keys.iter()
                .map(|key| {
                    let mut record = view.get(key)?;
                    self.earlier.adjust(key, &mut record);
                    self.deltas.adjust(key, &mut record);
                    Ok(record)
                })
                .collect()
        })
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        let mut page = self.view(|view| view.scan(range, after, limit))?;
        if matches!(range, Scan::DirStats | Scan::Quotas) {
            for (key, record) in &mut page.items {
                let mut found = Some(record.clone());
                self.earlier.adjust(key, &mut found);
                self.deltas.adjust(key, &mut found);
                if let Some(adjusted) = found {
                    *record = adjusted;
                }
            }
        }
        Ok(page)
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.view(|view| view.lookup(parent, name))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        self.view(|view| view.directory(directory, after, limit, attributes))
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.view(|view| view.parents(ino))
    }
}

/// The one writer holds SQLite's write lock from the start, so every read is a locked read.
#[async_trait]
impl Txn for SqliteTxn<'_> {
    async fn lock(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.read(keys).await
    }

    async fn lock_child(&mut self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.lookup(parent, name).await
    }

    async fn lock_is_empty(&mut self, directory: Ino) -> Result<bool> {
        self.view(|view| view.has_entries(directory)).map(|any| !any)
    }

    async fn lock_range(&mut self, range: &Scan) -> Result<Vec<(Key, Record)>> {
        let mut records = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self.scan(range, after.as_ref(), RANGE_PAGE).await?;
            after = page.items.last().map(|(key, _)| key.clone());
            records.extend(page.items);
            if !page.more || after.is_none() {
                return Ok(records);
            }
        }
    }

    fn insert(&mut self, key: Key, record: Record) {
        self.store(&key, record, true);
    }

    fn put(&mut self, key: Key, record: Record) {
        self.store(&key, record, false);
    }

    fn delete(&mut self, key: Key) {
        let what = || format!("deleting {key:?}");
        let by_number = |number: u64| vec![number.cast_signed()];
        let by_three = |ino: Ino, sid: SessionId, owner: u64| {
            vec![ino.0.cast_signed(), sid.0.cast_signed(), owner.cast_signed()]
        };
        let (table, condition, parameters) = match &key {
            Key::Edge(parent, name) => {
                let sql = self.sql;
                return self.statement(&sql.delete_edge, (parent.0.cast_signed(), name.as_bytes()), what);
            }
            Key::Xattr(ino, name) => {
                let sql = format!(
                    "DELETE FROM {} WHERE inode = ?1 AND name = CAST(?2 AS TEXT)",
                    self.table("xattr")
                );
                return self.statement(&sql, (ino.0.cast_signed(), name.as_slice()), what);
            }
            Key::Counter(counter) => {
                let sql = format!("DELETE FROM {} WHERE name = ?1", self.table("counter"));
                return self.statement(&sql, [counter.name()], what);
            }
            Key::Setting => ("setting", "name = 'format'", Vec::new()),
            Key::Node(ino) => ("node", "inode = ?1", by_number(ino.0)),
            Key::Symlink(ino) => ("symlink", "inode = ?1", by_number(ino.0)),
            Key::Chunk(ino, index) => (
                "chunk",
                "inode = ?1 AND indx = ?2",
                vec![ino.0.cast_signed(), i64::from(index.0)],
            ),
            Key::SliceRef(id, _) => ("chunk_ref", "chunkid = ?1", by_number(id.0)),
            Key::DelayedSlices(id, _) => ("delslices", "chunkid = ?1", by_number(id.0)),
            Key::Session(sid) => ("session2", "sid = ?1", by_number(sid.0)),
            Key::Sustained(sid, ino) => (
                "sustained",
                "sid = ?1 AND inode = ?2",
                vec![sid.0.cast_signed(), ino.0.cast_signed()],
            ),
            Key::DeletedFile(ino, _) => ("delfile", "inode = ?1", by_number(ino.0)),
            Key::FileLock(ino, sid, owner) => (
                "flock",
                "inode = ?1 AND sid = ?2 AND owner = ?3",
                by_three(*ino, *sid, owner.0),
            ),
            Key::RecordLocks(ino, sid, owner) => (
                "plock",
                "inode = ?1 AND sid = ?2 AND owner = ?3",
                by_three(*ino, *sid, owner.0),
            ),
            Key::DirStat(ino) => ("dir_stats", "inode = ?1", by_number(ino.0)),
            Key::Quota(QuotaKey::Directory(ino)) => ("dir_quota", "inode = ?1", by_number(ino.0)),
            Key::Quota(owner) => {
                let (kind, id) = owner_quota_key(*owner);
                ("user_group_quota", "qtype = ?1 AND qkey = ?2", vec![kind, id])
            }
            Key::Detached(ino) => ("detached_node", "inode = ?1", by_number(ino.0)),
            Key::Acl(id) => ("acl", "id = ?1", by_number(u64::from(id.0))),
        };
        let sql = format!("DELETE FROM {} WHERE {condition}", self.table(table));
        self.statement(&sql, rusqlite::params_from_iter(parameters), what);
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        let sql = self.sql;
        let parameters = (ino.0.cast_signed(), i64::from(chunk.0), encode_slices(slices));
        self.statement(&sql.append_chunk, parameters, || {
            format!("appending to chunk {chunk} of inode {ino}")
        });
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        let sql = self.sql;
        self.statement(&sql.insert_ref, (id.0.cast_signed(), size), || {
            format!("noting slice {id}")
        });
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        let sql = self.sql;
        self.statement(&sql.add_ref, (id.0.cast_signed(), size, delta), || {
            format!("owners of slice {id}")
        });
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        match counter {
            Counter::UsedSpace | Counter::TotalInodes => {
                *self.deltas.counters.entry(counter).or_default() += delta
            }
            _ => self.write(|view| add_counter(view, counter, delta)),
        }
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        *self.deltas.dir_stats.entry(directory).or_default() += delta;
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        let total = self.deltas.quotas.entry(quota).or_default();
        total.0 += space;
        total.1 += inodes;
    }

    fn add_parent(&mut self, _ino: Ino, _directory: Ino, _delta: i64) {
        // Parents are found through the index of the edge table.
    }

    fn delete_attachments(&mut self, ino: Ino) {
        let sql = format!("DELETE FROM {} WHERE inode = ?1", self.table("xattr"));
        self.statement(&sql, [ino.0.cast_signed()], || {
            format!("deleting the xattrs of inode {ino}")
        });
    }

    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        let sql = format!(
            "INSERT INTO {} (owner, `group`, mask, other, named_users, named_groups) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            self.table("acl")
        );
        let (users, groups) = (
            AclRule::encode_entries(&rule.users),
            AclRule::encode_entries(&rule.groups),
        );
        self.view(|view| {
            let parameters = (rule.owner, rule.group, rule.mask, rule.other, users, groups);
            execute(view, &sql, parameters, || "storing an ACL rule".to_owned())?;
            u32::try_from(view.connection.last_insert_rowid())
                .map(AclId)
                .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))
        })
    }

    fn append_changelog(&mut self, line: String) {
        let sql = format!("INSERT INTO {} (entry) VALUES (?1)", self.table("change_log"));
        self.statement(&sql, [line], || "appending to the changelog".to_owned());
    }
}
