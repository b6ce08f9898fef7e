//! A job's transaction: writes go straight into the open SQLite transaction, so its reads see them.

use std::path::Path;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, Read, Record, Scan, Survey, Txn};
use moorage_model::{
    AclId, AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Ino, Name, QuotaKey, Result,
    Slice, SliceId, encode_slices,
};
use parking_lot::Mutex;
use rusqlite::{Params, params_from_iter};

use super::database::Database;
use super::failure::{Context as _, in_file, named_in};
use super::record_cache::{Before, RecordChanges};
use super::sums::Sums;
use super::view::View;
use crate::relational::{address, as_stored, encode_value};

/// Records read at once of a range that is read whole.
const RANGE_PAGE: usize = 1000;

/// The transaction of one job.
pub(super) struct SqliteTxn<'w> {
    /// Of the writer; locked per statement, since a connection can not be shared between threads.
    database: &'w Mutex<Database>,
    path: &'w Path,
    /// What the jobs before this one in its group did; their sums are not written yet.
    earlier: &'w JobEffects,
    before: Before<'w>,
    effects: JobEffects,
    failure: Option<Error>,
}

/// What a job leaves to its group.
#[derive(Debug, Default)]
pub(super) struct JobEffects {
    pub(super) sums: Sums,
    pub(super) records: RecordChanges,
    /// Whether a record names blocks that may not be durable yet.
    pub(super) names_data: bool,
}

/// Runs a statement; the number of rows it changed.
pub(super) fn execute(
    view: View<'_>,
    sql: &str,
    parameters: impl Params,
    what: impl Fn() -> String,
) -> Result<usize> {
    let mut statement = view.connection.prepare_cached(sql).context(&what)?;
    statement.execute(parameters).context(what)
}

/// Changes a number relatively, by a statement that leaves a damaged one alone.
///
/// # Errors
/// `Corrupt` naming the record of a damaged one.
pub(super) fn change_number(view: View<'_>, sql: &str, parameters: impl Params, key: &Key) -> Result<()> {
    if execute(view, sql, parameters, || format!("changing {key}"))? > 0 {
        return Ok(());
    }
    view.get(key)?;
    Err(Error::new(
        ErrorKind::Corrupt,
        format!("{key}: it can not be changed"),
    ))
}

impl<'w> SqliteTxn<'w> {
    pub(super) fn new(
        database: &'w Mutex<Database>,
        path: &'w Path,
        earlier: &'w JobEffects,
        before: Before<'w>,
    ) -> Self {
        SqliteTxn {
            database,
            path,
            earlier,
            before,
            effects: JobEffects::default(),
            failure: None,
        }
    }

    /// What is left to the group, or the first write that failed.
    pub(super) fn finish(self) -> Result<JobEffects> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self.effects),
        }
    }

    fn view<T>(&self, read: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        read(self.database.lock().view()).map_err(in_file(self.path))
    }

    fn write(&mut self, write: impl FnOnce(View<'_>) -> Result<()>) {
        if self.failure.is_none() {
            self.failure = self.view(write).err();
        }
    }

    /// What this job and those before it in its group changed, the latest first.
    fn changes(&self) -> impl Iterator<Item = &RecordChanges> {
        [&self.effects, self.earlier]
            .into_iter()
            .map(|effects| &effects.records)
    }

    /// Attributes of a node: of this transaction, remembered from before it, or one statement.
    fn node(&self, ino: Ino) -> Result<Option<Attr>> {
        let changed = self.changes().find_map(|changes| changes.nodes.get(&ino));
        let known = changed.map_or_else(|| self.before.node(ino), Clone::clone);
        if known.is_some() {
            return Ok(known);
        }
        let found = self.view(|view| view.node(ino))?;
        if let (None, Some(attr)) = (changed, &found) {
            self.before.remember_node(ino, attr);
        }
        Ok(found)
    }

    /// An entry, or that there is none, when that can be told without the database.
    fn known_entry(&self, place: &(Ino, Name)) -> Option<Option<Entry>> {
        let changed = self.changes().find_map(|changes| changes.entries.get(place));
        changed.copied().or_else(|| self.before.entry(place))
    }

    /// An entry: as [`SqliteTxn::node`].
    fn entry(&self, key: &Key, place: (Ino, Name)) -> Result<Option<Entry>> {
        if let Some(known) = self.known_entry(&place) {
            return Ok(known);
        }
        let found = match self.view(|view| view.get(key))? {
            Some(Record::Edge(entry)) => Some(entry),
            _ => None,
        };
        self.before.remember_entry(place, found);
        Ok(found)
    }

    /// Notes what a key holds from now on.
    fn note(&mut self, key: &Key, record: Option<&Record>) {
        self.effects.sums.replace(key);
        self.effects.names_data |= record.is_some() && matches!(key, Key::Chunk(..));
        let changes = &mut self.effects.records;
        match (key, record) {
            (Key::Node(ino), Some(Record::Node(attr))) => {
                let whole = self.database.lock().sql.holds_whole_nodes;
                let stored = if whole { as_stored(attr).ok() } else { None };
                changes.nodes.insert(*ino, stored);
            }
            (Key::Node(ino), _) => drop(changes.nodes.insert(*ino, None)),
            (Key::Edge(parent, name), record) => {
                let entry = match record {
                    Some(Record::Edge(entry)) => Some(*entry),
                    _ => None,
                };
                changes.entries.insert((*parent, name.clone()), entry);
            }
            _ => {}
        }
    }

    fn store(&mut self, key: &Key, record: &Record, insert: bool) {
        self.note(key, Some(record));
        self.write(|view| {
            let (table, mut cells) = address(key);
            cells.extend(encode_value(key, record)?);
            let statements = view.rows(table)?;
            let sql = if insert {
                &statements.insert
            } else {
                &statements.put
            };
            execute(view, sql, params_from_iter(&cells), || format!("writing {key}")).map(drop)
        });
    }
}

#[async_trait]
impl Read for SqliteTxn<'_> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        keys.iter()
            .map(|key| {
                match key {
                    Key::Node(ino) => return Ok(self.node(*ino)?.map(Record::Node)),
                    Key::Edge(parent, name) => {
                        return Ok(self.entry(key, (*parent, name.clone()))?.map(Record::Edge));
                    }
                    _ => {}
                }
                let mut record = self.view(|view| view.get(key))?;
                self.effects.sums.adjust(&self.earlier.sums, key, &mut record);
                Ok(record)
            })
            .collect()
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let mut page = named_in(self.view(|view| view.survey(range, after, limit))?, self.path);
        if matches!(range, Scan::DirStats | Scan::Quotas) {
            for (key, record) in &mut page.items {
                let mut found = Some(record.clone());
                self.effects.sums.adjust(&self.earlier.sums, key, &mut found);
                if let Some(adjusted) = found {
                    *record = adjusted;
                }
            }
        }
        Ok(page)
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let place = (parent, name.clone());
        match self.known_entry(&place) {
            Some(None) => Ok(None),
            Some(Some(entry)) => Ok(Some((entry, self.node(entry.ino)?))),
            None => {
                let found = self.view(|view| view.lookup(parent, name))?;
                self.before
                    .remember_entry(place, found.as_ref().map(|(entry, _)| *entry));
                if let Some((entry, Some(attr))) = &found
                    && !self
                        .changes()
                        .any(|changes| changes.nodes.contains_key(&entry.ino))
                {
                    self.before.remember_node(entry.ino, attr);
                }
                Ok(found)
            }
        }
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
        self.store(&key, &record, true);
    }

    fn put(&mut self, key: Key, record: Record) {
        self.store(&key, &record, false);
    }

    fn delete(&mut self, key: Key) {
        self.note(&key, None);
        self.write(|view| {
            let (table, cells) = address(&key);
            let sql = &view.rows(table)?.delete;
            execute(view, sql, params_from_iter(&cells), || format!("deleting {key}")).map(drop)
        });
    }

    fn append_slices(&mut self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        self.effects.names_data = true;
        self.write(|view| {
            let parameters = (ino.0.cast_signed(), i64::from(chunk.0), encode_slices(slices));
            let what = || format!("appending to {}", Key::Chunk(ino, chunk));
            execute(view, &view.sql.append_chunk, parameters, what).map(drop)
        });
    }

    fn new_slice(&mut self, id: SliceId, size: u32) {
        self.write(|view| {
            let what = || format!("writing {}", Key::SliceRef(id, size));
            execute(view, &view.sql.insert_owner, (id.0.cast_signed(), size), what).map(drop)
        });
    }

    fn add_owners(&mut self, id: SliceId, size: u32, delta: i64) {
        self.write(|view| {
            let parameters = (id.0.cast_signed(), size, delta);
            change_number(view, &view.sql.add_owners, parameters, &Key::SliceRef(id, size))
        });
    }

    fn add_counter(&mut self, counter: Counter, delta: i64) {
        if matches!(counter, Counter::UsedSpace | Counter::TotalInodes) {
            return self.effects.sums.add_counter(counter, delta);
        }
        self.write(|view| {
            let parameters = (counter.name(), delta, counter.initial() + delta);
            change_number(view, &view.sql.add_counter, parameters, &Key::Counter(counter))
        });
    }

    fn add_dir_stat(&mut self, directory: Ino, delta: DirStat) {
        self.effects.sums.add_dir_stat(directory, delta);
    }

    fn add_quota_usage(&mut self, quota: QuotaKey, space: i64, inodes: i64) {
        self.effects.sums.add_quota(quota, space, inodes);
    }

    fn add_parent(&mut self, _ino: Ino, _directory: Ino, _delta: i64) {
        // Parents are found through the index of the edge table.
    }

    fn delete_attachments(&mut self, ino: Ino) {
        self.write(|view| {
            let what = || format!("deleting the extended attributes of inode {ino}");
            execute(view, &view.sql.delete_xattrs, [ino.0.cast_signed()], what).map(drop)
        });
    }

    async fn insert_acl(&mut self, rule: &AclRule) -> Result<AclId> {
        self.view(|view| {
            // The key does not show in the values; the table numbers the row.
            let record = Record::Acl(rule.clone());
            let cells = encode_value(&Key::Acl(AclId(0)), &record)?;
            execute(view, &view.sql.insert_acl, params_from_iter(&cells), || {
                "storing an ACL rule".to_owned()
            })?;
            u32::try_from(view.connection.last_insert_rowid())
                .map(AclId)
                .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))
        })
    }

    fn append_changelog(&mut self, line: String) {
        self.write(|view| {
            let what = || "appending to the changelog".to_owned();
            execute(view, &view.sql.append_changelog, [line], what).map(drop)
        });
    }
}
