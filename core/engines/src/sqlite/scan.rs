//! Pages of ranges on one connection.

use moorage_meta::{Key, Page, Record, Scan};
use moorage_model::{
    AclId, ChunkIndex, DelayedSlice, Error, ErrorKind, Gid, Ino, LockOwner, Name, QuotaKey, RecordLocks,
    Result, SessionId, SliceId, Uid, decode_slices,
};
use rusqlite::Row;
use rusqlite::types::Value;

use super::layout::{bytes, decode_node, ino, signed, unsigned};
use super::read::{View, acl, dir_stat, entry, lock_kind, quota, session};

type Decoded = rusqlite::Result<Result<(Key, Record)>>;

impl View<'_> {
    /// One page of `range` behind `after`, at most `limit` records.
    pub(super) fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        let limit = limit.max(1);
        // One more than asked for tells whether another page follows.
        let fetch = i64::try_from(limit).unwrap_or(i64::MAX - 1).saturating_add(1);
        let mut items = self.fetch(range, after, fetch)?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    fn fetch(&self, range: &Scan, after: Option<&Key>, limit: i64) -> Result<Vec<(Key, Record)>> {
        let prefix = &self.sql.prefix;
        let number = |key: fn(&Key) -> Option<i64>| after.and_then(key).unwrap_or(i64::MIN);
        let rows = |sql: String, parameters: Vec<Value>, decode: fn(&Row<'_>) -> Decoded| {
            self.many(
                &sql,
                rusqlite::params_from_iter(parameters),
                || format!("scanning {range:?}"),
                decode,
            )
        };
        let by_ino = |node: &Ino| node.0.cast_signed();
        match range {
            Scan::Edges(directory) => {
                let name = match after {
                    Some(Key::Edge(_, name)) => name.as_bytes().to_vec(),
                    _ => Vec::new(),
                };
                rows(
                    format!(
                        "SELECT parent, name, inode, type FROM `{prefix}edge` WHERE parent = ?1 AND name > ?2 \
                         ORDER BY name LIMIT ?3"
                    ),
                    vec![by_ino(directory).into(), name.into(), limit.into()],
                    edge,
                )
            }
            Scan::AllEdges => {
                let (parent, name) = match after {
                    Some(Key::Edge(parent, name)) => (by_ino(parent), name.as_bytes().to_vec()),
                    _ => (i64::MIN, Vec::new()),
                };
                rows(
                    format!(
                        "SELECT parent, name, inode, type FROM `{prefix}edge` WHERE (parent, name) > (?1, ?2) \
                         ORDER BY parent, name LIMIT ?3"
                    ),
                    vec![parent.into(), name.into(), limit.into()],
                    edge,
                )
            }
            Scan::AllNodes => rows(
                format!(
                    "SELECT {} FROM `{prefix}node` n WHERE n.inode > ?1 ORDER BY n.inode LIMIT ?2",
                    self.sql.node_columns
                ),
                vec![number(node_number).into(), limit.into()],
                |row| {
                    Ok(decode_node(row, 0).and_then(|found| {
                        found
                            .map(|(ino, attr)| (Key::Node(ino), Record::Node(attr)))
                            .ok_or_else(|| Error::from(ErrorKind::Corrupt))
                    }))
                },
            ),
            Scan::Xattrs(node) => {
                let name = match after {
                    Some(Key::Xattr(_, name)) => name.clone(),
                    _ => Vec::new(),
                };
                rows(
                    format!(
                        "SELECT inode, name, value FROM `{prefix}xattr` WHERE inode = ?1 AND name > CAST(?2 AS TEXT) \
                         ORDER BY name LIMIT ?3"
                    ),
                    vec![by_ino(node).into(), name.into(), limit.into()],
                    |row| {
                        let key = Key::Xattr(ino(row, 0)?, bytes(row, 1)?.to_vec());
                        Ok(Ok((key, Record::Xattr(bytes(row, 2)?.to_vec()))))
                    },
                )
            }
            Scan::Chunks(node) => {
                let index = match after {
                    Some(Key::Chunk(_, index)) => i64::from(index.0),
                    _ => -1,
                };
                rows(
                    format!(
                        "SELECT inode, indx, slices FROM `{prefix}chunk` WHERE inode = ?1 AND indx > ?2 \
                         ORDER BY indx LIMIT ?3"
                    ),
                    vec![by_ino(node).into(), index.into(), limit.into()],
                    chunk,
                )
            }
            Scan::AllChunks => {
                let (node, index) = match after {
                    Some(Key::Chunk(node, index)) => (by_ino(node), i64::from(index.0)),
                    _ => (i64::MIN, -1),
                };
                rows(
                    format!(
                        "SELECT inode, indx, slices FROM `{prefix}chunk` WHERE (inode, indx) > (?1, ?2) \
                         ORDER BY inode, indx LIMIT ?3"
                    ),
                    vec![node.into(), index.into(), limit.into()],
                    chunk,
                )
            }
            Scan::SliceRefs | Scan::DeadSlices => {
                let dead = if *range == Scan::DeadSlices {
                    "AND refs <= 0"
                } else {
                    ""
                };
                rows(
                    format!(
                        "SELECT chunkid, size, refs FROM `{prefix}chunk_ref` WHERE chunkid > ?1 {dead} \
                         ORDER BY chunkid LIMIT ?2"
                    ),
                    vec![number(slice_number).into(), limit.into()],
                    |row| {
                        let size = u32::try_from(signed(row, 1)?).unwrap_or(0);
                        Ok(Ok((
                            Key::SliceRef(SliceId(unsigned(row, 0)?), size),
                            Record::Owners(signed(row, 2)?),
                        )))
                    },
                )
            }
            Scan::DelayedSlices => {
                let (deleted, id) = match after {
                    Some(Key::DelayedSlices(id, deleted)) => (*deleted, id.0.cast_signed()),
                    _ => (i64::MIN, i64::MIN),
                };
                rows(
                    format!(
                        "SELECT chunkid, deleted, slices FROM `{prefix}delslices` WHERE (deleted, chunkid) > (?1, ?2) \
                         ORDER BY deleted, chunkid LIMIT ?3"
                    ),
                    vec![deleted.into(), id.into(), limit.into()],
                    |row| {
                        let key = Key::DelayedSlices(SliceId(unsigned(row, 0)?), signed(row, 1)?);
                        Ok(DelayedSlice::decode_all(bytes(row, 2)?)
                            .map(|slices| (key, Record::DelayedSlices(slices))))
                    },
                )
            }
            Scan::Sessions => rows(
                format!(
                    "SELECT sid, expire, info FROM `{prefix}session2` WHERE sid > ?1 ORDER BY sid LIMIT ?2"
                ),
                vec![number(session_number).into(), limit.into()],
                |row| {
                    Ok(Ok((
                        Key::Session(SessionId(unsigned(row, 0)?)),
                        Record::Session(session(row, 1, 2)?),
                    )))
                },
            ),
            Scan::Sustained(sid) => {
                let node = match after {
                    Some(Key::Sustained(_, node)) => by_ino(node),
                    _ => i64::MIN,
                };
                rows(
                    format!(
                        "SELECT sid, inode FROM `{prefix}sustained` WHERE sid = ?1 AND inode > ?2 ORDER BY inode LIMIT ?3"
                    ),
                    vec![sid.0.cast_signed().into(), node.into(), limit.into()],
                    sustained,
                )
            }
            Scan::AllSustained => {
                let (sid, node) = match after {
                    Some(Key::Sustained(sid, node)) => (sid.0.cast_signed(), by_ino(node)),
                    _ => (i64::MIN, i64::MIN),
                };
                rows(
                    format!(
                        "SELECT sid, inode FROM `{prefix}sustained` WHERE (sid, inode) > (?1, ?2) \
                         ORDER BY sid, inode LIMIT ?3"
                    ),
                    vec![sid.into(), node.into(), limit.into()],
                    sustained,
                )
            }
            Scan::DeletedFiles => rows(
                format!(
                    "SELECT inode, length, expire FROM `{prefix}delfile` WHERE inode > ?1 ORDER BY inode LIMIT ?2"
                ),
                vec![number(deleted_number).into(), limit.into()],
                |row| {
                    let key = Key::DeletedFile(ino(row, 0)?, unsigned(row, 1)?);
                    Ok(Ok((key, Record::DeletedFile(signed(row, 2)?))))
                },
            ),
            Scan::FileLocks(node) => {
                let (sid, owner) = lock_position(after);
                rows(
                    format!(
                        "SELECT inode, sid, owner, ltype FROM `{prefix}flock` WHERE inode = ?1 AND (sid, owner) > (?2, ?3) \
                         ORDER BY sid, owner LIMIT ?4"
                    ),
                    vec![by_ino(node).into(), sid.into(), owner.into(), limit.into()],
                    file_lock,
                )
            }
            Scan::RecordLocks(node) => {
                let (sid, owner) = lock_position(after);
                rows(
                    format!(
                        "SELECT inode, sid, owner, records FROM `{prefix}plock` WHERE inode = ?1 \
                         AND (sid, owner) > (?2, ?3) ORDER BY sid, owner LIMIT ?4"
                    ),
                    vec![by_ino(node).into(), sid.into(), owner.into(), limit.into()],
                    record_locks,
                )
            }
            Scan::SessionLocks(sid) => self.session_locks(*sid, after, limit),
            Scan::DirStats => rows(
                format!(
                    "SELECT inode, data_length, used_space, used_inodes FROM `{prefix}dir_stats` WHERE inode > ?1 \
                     ORDER BY inode LIMIT ?2"
                ),
                vec![number(stat_number).into(), limit.into()],
                |row| {
                    Ok(Ok((
                        Key::DirStat(ino(row, 0)?),
                        Record::DirStat(dir_stat(row, 1)?),
                    )))
                },
            ),
            Scan::Quotas => self.quotas(after, limit),
            Scan::Detached => rows(
                format!(
                    "SELECT inode, added FROM `{prefix}detached_node` WHERE inode > ?1 ORDER BY inode LIMIT ?2"
                ),
                vec![number(detached_number).into(), limit.into()],
                |row| {
                    Ok(Ok((
                        Key::Detached(ino(row, 0)?),
                        Record::Detached(signed(row, 1)?),
                    )))
                },
            ),
            Scan::Acls => rows(
                format!(
                    "SELECT owner, `group`, mask, other, named_users, named_groups, id FROM `{prefix}acl` WHERE id > ?1 \
                     ORDER BY id LIMIT ?2"
                ),
                vec![number(acl_number).into(), limit.into()],
                |row| Ok(acl(row)?.map(|(id, rule): (AclId, _)| (Key::Acl(id), Record::Acl(rule)))),
            ),
        }
    }

    /// BSD locks first, then POSIX locks, each by inode and owner.
    fn session_locks(&self, sid: SessionId, after: Option<&Key>, limit: i64) -> Result<Vec<(Key, Record)>> {
        let prefix = &self.sql.prefix;
        let page =
            |table: &str, column: &str, position: (i64, i64), limit: i64, decode: fn(&Row<'_>) -> Decoded| {
                self.many(
                    &format!(
                        "SELECT inode, sid, owner, {column} FROM `{prefix}{table}` WHERE sid = ?1 \
                     AND (inode, owner) > (?2, ?3) ORDER BY inode, owner LIMIT ?4"
                    ),
                    (sid.0.cast_signed(), position.0, position.1, limit),
                    || format!("scanning the locks of session {sid}"),
                    decode,
                )
            };
        let start = (i64::MIN, i64::MIN);
        let mut items = Vec::new();
        let second = match after {
            Some(Key::RecordLocks(node, _, owner)) => (node.0.cast_signed(), owner.0.cast_signed()),
            other => {
                let first = match other {
                    Some(Key::FileLock(node, _, owner)) => (node.0.cast_signed(), owner.0.cast_signed()),
                    _ => start,
                };
                items = page("flock", "ltype", first, limit, file_lock)?;
                start
            }
        };
        let left = limit.saturating_sub(i64::try_from(items.len()).unwrap_or(limit));
        if left > 0 {
            items.extend(page("plock", "records", second, left, record_locks)?);
        }
        Ok(items)
    }

    /// Directory quotas first, then users and groups.
    fn quotas(&self, after: Option<&Key>, limit: i64) -> Result<Vec<(Key, Record)>> {
        let prefix = &self.sql.prefix;
        let what = || "scanning the quotas".to_owned();
        let mut items = Vec::new();
        let position = match after {
            Some(Key::Quota(key @ (QuotaKey::User(_) | QuotaKey::Group(_)))) => {
                super::read::owner_quota_key(*key)
            }
            other => {
                let first = match other {
                    Some(Key::Quota(QuotaKey::Directory(node))) => node.0.cast_signed(),
                    _ => i64::MIN,
                };
                items = self.many(
                    &format!(
                        "SELECT inode, max_space, max_inodes, used_space, used_inodes FROM `{prefix}dir_quota` \
                         WHERE inode > ?1 ORDER BY inode LIMIT ?2"
                    ),
                    (first, limit),
                    what,
                    |row| Ok(Ok((Key::Quota(QuotaKey::Directory(ino(row, 0)?)), Record::Quota(quota(row, 1)?)))),
                )?;
                (0, i64::MIN)
            }
        };
        let left = limit.saturating_sub(i64::try_from(items.len()).unwrap_or(limit));
        if left > 0 && self.has_owner_quotas()? {
            items.extend(self.many(
                &format!(
                    "SELECT qtype, qkey, max_space, max_inodes, used_space, used_inodes FROM `{prefix}user_group_quota` \
                     WHERE (qtype, qkey) > (?1, ?2) ORDER BY qtype, qkey LIMIT ?3"
                ),
                (position.0, position.1, left),
                what,
                |row| {
                    let id = u32::try_from(signed(row, 1)?).unwrap_or(u32::MAX);
                    let key = if signed(row, 0)? == 1 { QuotaKey::User(Uid(id)) } else { QuotaKey::Group(Gid(id)) };
                    Ok(Ok((Key::Quota(key), Record::Quota(quota(row, 2)?))))
                },
            )?);
        }
        Ok(items)
    }

    /// Volumes from before 1.4, opened read-only, lack the table.
    fn has_owner_quotas(&self) -> Result<bool> {
        self.one(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
            [format!("{}user_group_quota", self.sql.prefix)],
            || "looking for the table of user quotas".to_owned(),
            |_| Ok(Ok(())),
        )
        .map(|found| found.is_some())
    }
}

fn edge(row: &Row<'_>) -> Decoded {
    let parent = ino(row, 0)?;
    let name = bytes(row, 1)?;
    Ok(Name::new(name)
        .map_err(|_| {
            Error::new(
                ErrorKind::Corrupt,
                format!("an entry of directory {parent} has an impossible name"),
            )
        })
        .and_then(|name| Ok((Key::Edge(parent, name), Record::Edge(entry(row, 2, 3)?)))))
}

fn chunk(row: &Row<'_>) -> Decoded {
    let (node, index) = (
        ino(row, 0)?,
        ChunkIndex(u32::try_from(signed(row, 1)?).unwrap_or(u32::MAX)),
    );
    Ok(decode_slices(bytes(row, 2)?)
        .map(|slices| (Key::Chunk(node, index), Record::Chunk(slices)))
        .map_err(|error| error.context(format!("chunk {index} of inode {node}"))))
}

fn sustained(row: &Row<'_>) -> Decoded {
    Ok(Ok((
        Key::Sustained(SessionId(unsigned(row, 0)?), ino(row, 1)?),
        Record::Sustained,
    )))
}

fn file_lock(row: &Row<'_>) -> Decoded {
    let key = Key::FileLock(
        ino(row, 0)?,
        SessionId(unsigned(row, 1)?),
        LockOwner(unsigned(row, 2)?),
    );
    Ok(lock_kind(row, 3)?.map(|kind| (key, Record::FileLock(kind))))
}

fn record_locks(row: &Row<'_>) -> Decoded {
    let key = Key::RecordLocks(
        ino(row, 0)?,
        SessionId(unsigned(row, 1)?),
        LockOwner(unsigned(row, 2)?),
    );
    Ok(RecordLocks::decode_ranges(bytes(row, 3)?).map(|ranges| (key, Record::RecordLocks(ranges))))
}

fn lock_position(after: Option<&Key>) -> (i64, i64) {
    match after {
        Some(Key::FileLock(_, sid, owner) | Key::RecordLocks(_, sid, owner)) => {
            (sid.0.cast_signed(), owner.0.cast_signed())
        }
        _ => (i64::MIN, i64::MIN),
    }
}

fn node_number(key: &Key) -> Option<i64> {
    if let Key::Node(ino) = key {
        Some(ino.0.cast_signed())
    } else {
        None
    }
}

fn slice_number(key: &Key) -> Option<i64> {
    if let Key::SliceRef(id, _) = key {
        Some(id.0.cast_signed())
    } else {
        None
    }
}

fn session_number(key: &Key) -> Option<i64> {
    if let Key::Session(sid) = key {
        Some(sid.0.cast_signed())
    } else {
        None
    }
}

fn deleted_number(key: &Key) -> Option<i64> {
    if let Key::DeletedFile(ino, _) = key {
        Some(ino.0.cast_signed())
    } else {
        None
    }
}

fn stat_number(key: &Key) -> Option<i64> {
    if let Key::DirStat(ino) = key {
        Some(ino.0.cast_signed())
    } else {
        None
    }
}

fn detached_number(key: &Key) -> Option<i64> {
    if let Key::Detached(ino) = key {
        Some(ino.0.cast_signed())
    } else {
        None
    }
}

fn acl_number(key: &Key) -> Option<i64> {
    if let Key::Acl(id) = key {
        Some(i64::from(id.0))
    } else {
        None
    }
}
