//! Point reads and directory pages on one connection.

use moorage_meta::{DirectoryEntry, Key, Record, SessionRecord};
use moorage_model::{
    ACL_UNSET, AclEntry, AclId, AclRule, Attr, Counter, DelayedSlice, DirStat, Entry, Error, ErrorKind,
    FileLockKind, Ino, Name, NodeType, Quota, QuotaKey, RecordLocks, Result, decode_slices,
};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::failure::Context as _;
use super::layout::{Statements, bytes, decode_node, signed, unsigned};

/// The tables as one connection sees them.
#[derive(Clone, Copy)]
pub(super) struct View<'c> {
    pub(super) connection: &'c Connection,
    pub(super) sql: &'c Statements,
}

impl View<'_> {
    /// Runs a query that answers with at most one row; `decode` may fail with our error.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: impl Fn() -> String,
        decode: impl FnOnce(&Row<'_>) -> rusqlite::Result<Result<T>>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql).context(&what)?;
        statement
            .query_row(parameters, decode)
            .optional()
            .context(what)?
            .transpose()
    }

    /// Runs a query and decodes every row.
    pub(super) fn many<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: impl Fn() -> String,
        decode: impl Fn(&Row<'_>) -> rusqlite::Result<Result<T>>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).context(&what)?;
        let mut rows = statement.query(parameters).context(&what)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().context(&what)? {
            out.push(decode(row).context(&what)??);
        }
        Ok(out)
    }

    fn table(&self, name: &str) -> String {
        format!("`{}{name}`", self.sql.prefix)
    }

    /// Attributes of a node: one prepared statement by primary key.
    pub(super) fn node(&self, ino: Ino) -> Result<Option<Attr>> {
        self.one(
            &self.sql.get_node,
            [ino.0.cast_signed()],
            || format!("reading inode {ino}"),
            |row| Ok(decode_node(row, 0)),
        )
        .map(|found| found.flatten().map(|(_, attr)| attr))
    }

    /// Entry and attributes: one join.
    pub(super) fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let found = self.one(
            &self.sql.lookup,
            (parent.0.cast_signed(), name.as_bytes()),
            || format!("looking up {name} in directory {parent}"),
            |row| Ok(listed(row, Some(name), true)),
        )?;
        Ok(found.map(|item| (item.entry, item.attr)))
    }

    /// A page of a directory: one query.
    pub(super) fn directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let sql = if attributes {
            &self.sql.list_attributes
        } else {
            &self.sql.list
        };
        let after = after.map_or(&b""[..], Name::as_bytes);
        self.many(
            sql,
            (
                directory.0.cast_signed(),
                after,
                i64::try_from(limit).unwrap_or(i64::MAX),
            ),
            || format!("listing directory {directory}"),
            |row| Ok(listed(row, None, attributes)),
        )
    }

    /// Whether a directory has an entry.
    pub(super) fn has_entries(&self, directory: Ino) -> Result<bool> {
        self.one(
            &self.sql.any_edge,
            [directory.0.cast_signed()],
            || format!("listing directory {directory}"),
            |_| Ok(Ok(())),
        )
        .map(|found| found.is_some())
    }

    /// Directories that hold `ino`, with the number of its entries there.
    pub(super) fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.many(
            &format!(
                "SELECT parent, COUNT(*) FROM {} WHERE inode = ?1 GROUP BY parent",
                self.table("edge")
            ),
            [ino.0.cast_signed()],
            || format!("looking for the parents of inode {ino}"),
            |row| {
                Ok(Ok((
                    super::layout::ino(row, 0)?,
                    u32::try_from(signed(row, 1)?).unwrap_or(u32::MAX),
                )))
            },
        )
    }

    /// One record of any kind.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>> {
        let what = || format!("reading {key:?}");
        match key {
            Key::Setting => self.one(
                &format!(
                    "SELECT value FROM {} WHERE name = 'format'",
                    self.table("setting")
                ),
                [],
                what,
                |row| {
                    Ok(Ok(Record::Setting(
                        String::from_utf8_lossy(bytes(row, 0)?).into_owned(),
                    )))
                },
            ),
            Key::Counter(counter) => self.counter(*counter).map(|value| value.map(Record::Counter)),
            Key::Node(ino) => self.node(*ino).map(|attr| attr.map(Record::Node)),
            Key::Edge(parent, name) => self.one(
                &self.sql.get_edge,
                (parent.0.cast_signed(), name.as_bytes()),
                what,
                |row| Ok(entry(row, 0, 1).map(Record::Edge)),
            ),
            Key::Symlink(ino) => self.one(
                &format!("SELECT target FROM {} WHERE inode = ?1", self.table("symlink")),
                [ino.0.cast_signed()],
                what,
                |row| Ok(Ok(Record::Symlink(bytes(row, 0)?.to_vec()))),
            ),
            Key::Xattr(ino, name) => self.one(
                &format!(
                    "SELECT value FROM {} WHERE inode = ?1 AND name = CAST(?2 AS TEXT)",
                    self.table("xattr")
                ),
                (ino.0.cast_signed(), name.as_slice()),
                what,
                |row| Ok(Ok(Record::Xattr(bytes(row, 0)?.to_vec()))),
            ),
            Key::Chunk(ino, index) => self.one(
                &self.sql.get_chunk,
                (ino.0.cast_signed(), i64::from(index.0)),
                what,
                |row| {
                    let slices = decode_slices(bytes(row, 0)?);
                    Ok(slices
                        .map(Record::Chunk)
                        .map_err(|e| e.context(format!("chunk {index} of inode {ino}"))))
                },
            ),
            Key::SliceRef(id, _) => self.one(
                &format!("SELECT refs FROM {} WHERE chunkid = ?1", self.table("chunk_ref")),
                [id.0.cast_signed()],
                what,
                |row| Ok(Ok(Record::Owners(signed(row, 0)?))),
            ),
            Key::DelayedSlices(id, deleted) => self.one(
                &format!(
                    "SELECT slices FROM {} WHERE chunkid = ?1 AND deleted = ?2",
                    self.table("delslices")
                ),
                (id.0.cast_signed(), *deleted),
                what,
                |row| Ok(DelayedSlice::decode_all(bytes(row, 0)?).map(Record::DelayedSlices)),
            ),
            Key::Session(sid) => self.one(
                &format!(
                    "SELECT expire, info FROM {} WHERE sid = ?1",
                    self.table("session2")
                ),
                [sid.0.cast_signed()],
                what,
                |row| session(row, 0, 1).map(|s| Ok(Record::Session(s))),
            ),
            Key::Sustained(sid, ino) => self.one(
                &format!(
                    "SELECT 1 FROM {} WHERE sid = ?1 AND inode = ?2",
                    self.table("sustained")
                ),
                (sid.0.cast_signed(), ino.0.cast_signed()),
                what,
                |_| Ok(Ok(Record::Sustained)),
            ),
            Key::DeletedFile(ino, length) => self.one(
                &format!(
                    "SELECT expire FROM {} WHERE inode = ?1 AND length = ?2",
                    self.table("delfile")
                ),
                (ino.0.cast_signed(), length.cast_signed()),
                what,
                |row| Ok(Ok(Record::DeletedFile(signed(row, 0)?))),
            ),
            Key::FileLock(ino, sid, owner) => self.one(
                &format!(
                    "SELECT ltype FROM {} WHERE inode = ?1 AND sid = ?2 AND owner = ?3",
                    self.table("flock")
                ),
                (ino.0.cast_signed(), sid.0.cast_signed(), owner.0.cast_signed()),
                what,
                |row| Ok(lock_kind(row, 0)?.map(Record::FileLock)),
            ),
            Key::RecordLocks(ino, sid, owner) => self.one(
                &format!(
                    "SELECT records FROM {} WHERE inode = ?1 AND sid = ?2 AND owner = ?3",
                    self.table("plock")
                ),
                (ino.0.cast_signed(), sid.0.cast_signed(), owner.0.cast_signed()),
                what,
                |row| Ok(RecordLocks::decode_ranges(bytes(row, 0)?).map(Record::RecordLocks)),
            ),
            Key::DirStat(ino) => self.one(
                &format!(
                    "SELECT data_length, used_space, used_inodes FROM {} WHERE inode = ?1",
                    self.table("dir_stats")
                ),
                [ino.0.cast_signed()],
                what,
                |row| dir_stat(row, 0).map(|s| Ok(Record::DirStat(s))),
            ),
            Key::Quota(quota_key) => self.quota(*quota_key).map(|quota| quota.map(Record::Quota)),
            Key::Detached(ino) => self.one(
                &format!(
                    "SELECT added FROM {} WHERE inode = ?1",
                    self.table("detached_node")
                ),
                [ino.0.cast_signed()],
                what,
                |row| Ok(Ok(Record::Detached(signed(row, 0)?))),
            ),
            Key::Acl(id) => self.one(
                &format!(
                    "SELECT owner, `group`, mask, other, named_users, named_groups, id FROM {} WHERE id = ?1",
                    self.table("acl")
                ),
                [i64::from(id.0)],
                what,
                |row| Ok(acl(row)?.map(|(_, rule)| Record::Acl(rule))),
            ),
        }
    }

    /// A counter as stored; `None` when its row does not exist.
    pub(super) fn counter(&self, counter: Counter) -> Result<Option<i64>> {
        self.one(
            &self.sql.get_counter,
            [counter.name()],
            || format!("reading counter {}", counter.name()),
            |row| signed(row, 0).map(Ok),
        )
    }

    fn quota(&self, key: QuotaKey) -> Result<Option<Quota>> {
        const COLUMNS: &str = "max_space, max_inodes, used_space, used_inodes";
        let what = || format!("reading the quota of {key:?}");
        let decode = |row: &Row<'_>| quota(row, 0).map(Ok);
        match key {
            QuotaKey::Directory(ino) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM {} WHERE inode = ?1",
                    self.table("dir_quota")
                );
                self.one(&sql, [ino.0.cast_signed()], what, decode)
            }
            QuotaKey::User(_) | QuotaKey::Group(_) => {
                let (kind, id) = owner_quota_key(key);
                let sql = format!(
                    "SELECT {COLUMNS} FROM {} WHERE qtype = ?1 AND qkey = ?2",
                    self.table("user_group_quota")
                );
                self.one(&sql, (kind, id), what, decode)
            }
        }
    }
}

/// `qtype` and `qkey` of a user or group quota; a directory has the numbers it would have there.
pub(super) fn owner_quota_key(key: QuotaKey) -> (i64, i64) {
    match key {
        QuotaKey::Directory(ino) => (0, ino.0.cast_signed()),
        QuotaKey::User(uid) => (1, i64::from(uid.0)),
        QuotaKey::Group(gid) => (2, i64::from(gid.0)),
    }
}

fn listed(row: &Row<'_>, known: Option<&Name>, attributes: bool) -> Result<DirectoryEntry> {
    let corrupt =
        |error: rusqlite::Error| Error::new(ErrorKind::Corrupt, "a directory entry").with_source(error);
    let name = match known {
        Some(name) => name.clone(),
        None => Name::new(bytes(row, 0).map_err(corrupt)?)
            .map_err(|_| Error::new(ErrorKind::Corrupt, "a directory entry has an impossible name"))?,
    };
    let entry = entry(row, 1, 2)?;
    let attr = if attributes {
        decode_node(row, 3)?.map(|(_, attr)| attr)
    } else {
        None
    };
    Ok(DirectoryEntry { name, entry, attr })
}

pub(super) fn entry(row: &Row<'_>, ino: usize, kind: usize) -> Result<Entry> {
    let corrupt =
        |error: rusqlite::Error| Error::new(ErrorKind::Corrupt, "a directory entry").with_source(error);
    let code = u8::try_from(signed(row, kind).map_err(corrupt)?).unwrap_or(0);
    Ok(Entry {
        kind: NodeType::from_code(code)?,
        ino: super::layout::ino(row, ino).map_err(corrupt)?,
    })
}

pub(super) fn session(row: &Row<'_>, expire: usize, info: usize) -> rusqlite::Result<SessionRecord> {
    Ok(SessionRecord {
        expire: signed(row, expire)?,
        info: String::from_utf8_lossy(bytes(row, info)?).into_owned(),
    })
}

pub(super) fn lock_kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Result<FileLockKind>> {
    Ok(FileLockKind::from_letter(
        u8::try_from(unsigned(row, column)?).unwrap_or(0),
    ))
}

pub(super) fn dir_stat(row: &Row<'_>, first: usize) -> rusqlite::Result<DirStat> {
    Ok(DirStat {
        length: signed(row, first)?,
        space: signed(row, first + 1)?,
        inodes: signed(row, first + 2)?,
    })
}

pub(super) fn quota(row: &Row<'_>, first: usize) -> rusqlite::Result<Quota> {
    Ok(Quota {
        max_space: signed(row, first)?,
        max_inodes: signed(row, first + 1)?,
        used_space: signed(row, first + 2)?,
        used_inodes: signed(row, first + 3)?,
    })
}

/// Columns owner, group, mask, other, named_users, named_groups, id.
pub(super) fn acl(row: &Row<'_>) -> rusqlite::Result<Result<(AclId, AclRule)>> {
    let field = |column: usize| -> rusqlite::Result<u16> {
        Ok(row
            .get::<_, Option<i64>>(column)?
            .and_then(|v| u16::try_from(v).ok())
            .unwrap_or(ACL_UNSET))
    };
    let list = |column: usize| -> rusqlite::Result<Result<Vec<AclEntry>>> {
        Ok(AclRule::decode_entries(bytes(row, column)?))
    };
    let (owner, group, mask, other) = (field(0)?, field(1)?, field(2)?, field(3)?);
    let id = AclId(u32::try_from(signed(row, 6)?).unwrap_or(0));
    Ok(match (list(4)?, list(5)?) {
        (Ok(users), Ok(groups)) => Ok((
            id,
            AclRule {
                owner,
                group,
                mask,
                other,
                users,
                groups,
            },
        )),
        (Err(error), _) | (_, Err(error)) => Err(error.context(format!("ACL rule {id}"))),
    })
}
