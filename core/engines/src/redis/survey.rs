//! Ranges. Redis keeps no order, so a range is collected and sorted; what lies in keys of its own is found by
//! SCAN, whose names are kept for the pages that follow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use moorage_meta::{DamagedRecord, Key, Record, Scan, Survey};
use moorage_model::{
    AclId, CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Gid, Ino, LockOwner, Name, QuotaKey, Result, SessionId,
    SliceId, Uid,
};
use parking_lot::Mutex;
use redis::Value;

use super::cells::{cells, decode, number, unexpected};
use super::connection::Connection;
use super::layout::Layout;

/// Fields or keys asked for at once, as JuiceFS does.
const SCAN_COUNT: usize = 10_000;
/// Chunks asked for at once behind the last one that the length tells of.
const CHUNKS_AT_ONCE: u64 = 256;
/// Chunks from which on a file is too long to ask for each one.
const MAX_PROBED_CHUNKS: u64 = 100_000;
/// Length of a deleted file of an old client that did not note it.
const UNKNOWN_LENGTH: u64 = 1 << 30;

/// Records of a range that can be read, and errors of those that can not.
pub(super) type Found = Vec<(Key, Result<Record>)>;

/// Reads of one server.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) layout: Layout,
    names: Mutex<HashMap<Scan, Arc<Vec<Key>>>>,
}

impl Reader {
    pub(super) fn new(connection: Connection, layout: Layout) -> Reader {
        Reader {
            connection,
            layout,
            names: Mutex::default(),
        }
    }

    /// One page: two round trips for ranges of keys (SCAN takes more on its first page), else one to three, and one
    /// more per 10 000 fields.
    pub(super) async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        match range {
            Scan::AllNodes | Scan::AllChunks | Scan::AllEdges | Scan::AllSustained => {
                self.keys_page(range, after, limit.max(1)).await
            }
            _ => Ok(page(self.whole(range).await?, after, limit)),
        }
    }

    async fn keys_page(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let known = after.and_then(|_| self.names.lock().get(range).cloned());
        let names = match known {
            Some(names) => names,
            None => {
                let names = Arc::new(self.names_of(range).await?);
                self.names.lock().insert(range.clone(), Arc::clone(&names));
                names
            }
        };
        let group = after.map(group_of);
        let start = group.map_or(0, |group| names.partition_point(|name| *name < group));
        let mut found: Found = Vec::new();
        let mut rest = names.get(start..).unwrap_or_default();
        while found.len() <= limit && !rest.is_empty() {
            let taken = if matches!(range, Scan::AllNodes | Scan::AllChunks) {
                rest.len().min(limit + 2)
            } else {
                1
            };
            let (part, later) = rest.split_at(taken);
            rest = later;
            let part = match part.first() {
                Some(Key::Edge(directory, _)) => self.whole(&Scan::Edges(*directory)).await?,
                Some(Key::Sustained(sid, _)) => self.whole(&Scan::Sustained(*sid)).await?,
                _ => self.read_each(part).await?,
            };
            found.extend(
                part.into_iter()
                    .filter(|(key, _)| after.is_none_or(|after| key > after)),
            );
        }
        if rest.is_empty() && found.len() <= limit {
            self.names.lock().remove(range);
        }
        Ok(page(found, after, limit))
    }

    /// The first possible key of every key of the database that belongs to the range.
    async fn names_of(&self, range: &Scan) -> Result<Vec<Key>> {
        let letter = match range {
            Scan::AllNodes => "i",
            Scan::AllEdges => "d",
            Scan::AllChunks => "c",
            _ => "session",
        };
        let any_name = Name::new(b"\x01")?;
        let start = format!("{}{letter}", self.layout.prefix);
        let mut names = Vec::new();
        for key in self.keys_like(&format!("{start}[0-9]*")).await? {
            let Some(rest) = key.strip_prefix(start.as_bytes()) else {
                continue;
            };
            let rest = String::from_utf8_lossy(rest);
            names.extend(match range {
                Scan::AllNodes => rest.parse().ok().map(|ino| Key::Node(Ino(ino))),
                Scan::AllEdges => rest.parse().ok().map(|ino| Key::Edge(Ino(ino), any_name.clone())),
                Scan::AllChunks => rest.split_once('_').and_then(|(ino, index)| {
                    Some(Key::Chunk(
                        Ino(ino.parse().ok()?),
                        ChunkIndex(index.parse().ok()?),
                    ))
                }),
                _ => rest
                    .parse()
                    .ok()
                    .map(|sid| Key::Sustained(SessionId(sid), Ino::NONE)),
            });
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Every key of a pattern.
    pub(super) async fn keys_like(&self, pattern: &str) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("SCAN");
            command
                .arg(&cursor)
                .arg("MATCH")
                .arg(pattern)
                .arg("COUNT")
                .arg(SCAN_COUNT);
            let (next, part) = scanned(self.connection.ask(command).await?)?;
            keys.extend(part);
            if next == b"0" {
                keys.sort_unstable();
                keys.dedup();
                return Ok(keys);
            }
            cursor = next;
        }
    }

    async fn read_each(&self, keys: &[Key]) -> Result<Found> {
        let values = self.values(keys).await?;
        let found = keys.iter().zip(values).filter_map(|(key, values)| {
            let record = decode(key, &values).transpose()?;
            Some((key.clone(), record))
        });
        Ok(found.collect())
    }

    /// Values of the cells of each key, in one round trip.
    pub(super) async fn values(&self, keys: &[Key]) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
        let wanted: Vec<_> = keys.iter().map(|key| cells(&self.layout, key)).collect();
        let commands = wanted.iter().flatten().map(super::cells::Cell::read).collect();
        let mut answers = self.connection.ask_all(commands).await?.into_iter();
        wanted
            .iter()
            .map(|cells| {
                cells
                    .iter()
                    .map(|cell| cell.value(answers.next().unwrap_or(Value::Nil)))
                    .collect()
            })
            .collect()
    }

    /// All fields of a hash.
    pub(super) async fn fields(&self, key: Vec<u8>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut fields = BTreeMap::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("HSCAN");
            command.arg(&key).arg(&cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, part) = scanned(self.connection.ask(command).await?)?;
            let mut part = part.into_iter();
            while let (Some(field), Some(value)) = (part.next(), part.next()) {
                fields.insert(field, value);
            }
            if next == b"0" {
                return Ok(fields);
            }
            cursor = next;
        }
    }

    async fn named_fields(&self, name: &str) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        self.fields(self.layout.key(name)).await
    }

    /// Members of a sorted set with their scores.
    async fn scores(&self, key: Vec<u8>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(key).arg(0).arg(-1).arg("WITHSCORES");
        let mut items = strings(self.connection.ask(command).await?)?.into_iter();
        let mut found = Vec::new();
        while let (Some(member), Some(score)) = (items.next(), items.next()) {
            found.push((member, score));
        }
        Ok(found)
    }

    async fn members(&self, key: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(key);
        strings(self.connection.ask(command).await?)
    }

    /// Every record of a range that is one or a few keys.
    pub(super) async fn whole(&self, range: &Scan) -> Result<Found> {
        let layout = &self.layout;
        if let Some(table) = layout.hash_of(range) {
            let fields = self.fields(table).await?;
            return Ok(records(fields, &|field| field_key(range, field)));
        }
        Ok(match range {
            Scan::SliceRefs => records(self.named_fields("sliceRef").await?, &slice_key),
            Scan::DeadSlices => {
                let mut found = records(self.named_fields("sliceRef").await?, &slice_key);
                found.retain(|(_, record)| !matches!(record, Ok(Record::Owners(1..))));
                found
            }
            Scan::DelayedSlices => records(self.named_fields("delSlices").await?, &|field| {
                let (id, deleted) = pair(field, '_')?;
                Some(Key::DelayedSlices(SliceId(id), i64::try_from(deleted).ok()?))
            }),
            Scan::Acls => records(self.named_fields("acl").await?, &|field| {
                Some(Key::Acl(AclId(u32::try_from(one(field)?).ok()?)))
            }),
            Scan::Sessions => {
                let scores = self.scores(layout.key("allSessions")).await?;
                let keys: Vec<Key> = scores
                    .iter()
                    .filter_map(|(sid, _)| Some(Key::Session(SessionId(one(sid)?))))
                    .collect();
                self.read_each(&keys).await?
            }
            Scan::LegacySessions => {
                self.scored(b"sessions".to_vec(), |sid| {
                    Some(Key::LegacySession(SessionId(one(sid)?)))
                })
                .await?
            }
            Scan::Detached => {
                self.scored(layout.key("detachedNodes"), |ino| {
                    Some(Key::Detached(Ino(one(ino)?)))
                })
                .await?
            }
            Scan::DeletedFiles => self.scored(layout.key("delfiles"), deleted_file).await?,
            Scan::Sustained(sid) => {
                let members = self.members(layout.numbered("session", sid.0)).await?;
                let inos = members.iter().filter_map(|ino| one(ino));
                inos.map(|ino| (Key::Sustained(*sid, Ino(ino)), Ok(Record::Sustained)))
                    .collect()
            }
            Scan::SessionLocks(sid) => self.session_locks(*sid).await?,
            Scan::DirStats => {
                let fields = self.named_fields("dirUsedSpace").await?;
                let inos = fields.keys().filter_map(|ino| one(ino));
                let keys: Vec<Key> = inos.map(|ino| Key::DirStat(Ino(ino))).collect();
                self.read_each(&keys).await?
            }
            Scan::Quotas => self.quotas().await?,
            Scan::Chunks(ino) => self.chunks(*ino).await?,
            Scan::Changelog => self.changelog().await?,
            // Read above, or in pages.
            Scan::Edges(_)
            | Scan::Xattrs(_)
            | Scan::FileLocks(_)
            | Scan::RecordLocks(_)
            | Scan::AllNodes
            | Scan::AllEdges
            | Scan::AllChunks
            | Scan::AllSustained => {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("{range:?} is not collected as one"),
                ));
            }
        })
    }

    async fn scored(&self, key: Vec<u8>, name: impl Fn(&[u8]) -> Option<Key>) -> Result<Found> {
        let scores = self.scores(key).await?;
        let found = scores.into_iter().filter_map(|(member, score)| {
            let key = name(&member)?;
            let record = decode(&key, &[Some(score)]).transpose()?;
            Some((key, record))
        });
        Ok(found.collect())
    }

    async fn quotas(&self) -> Result<Found> {
        let mut keys = Vec::new();
        for kind in ["dir", "user", "group"] {
            let fields = self.named_fields(&format!("{kind}QuotaUsedInodes")).await?;
            keys.extend(fields.keys().filter_map(|field| {
                let id = one(field)?;
                Some(Key::Quota(match kind {
                    "dir" => QuotaKey::Directory(Ino(id)),
                    "user" => QuotaKey::User(Uid(u32::try_from(id).ok()?)),
                    _ => QuotaKey::Group(Gid(u32::try_from(id).ok()?)),
                }))
            }));
        }
        self.read_each(&keys).await
    }

    async fn session_locks(&self, sid: SessionId) -> Result<Found> {
        let mut found = Vec::new();
        for table in self.members(self.layout.numbered("locked", sid.0)).await? {
            let rest = table
                .strip_prefix(self.layout.prefix.as_bytes())
                .unwrap_or(&table);
            let range = match (rest.strip_prefix(b"lockf"), rest.strip_prefix(b"lockp")) {
                (Some(ino), _) => one(ino).map(|ino| Scan::FileLocks(Ino(ino))),
                (_, Some(ino)) => one(ino).map(|ino| Scan::RecordLocks(Ino(ino))),
                _ => None,
            };
            if let Some(range) = range {
                let locks = Box::pin(self.whole(&range)).await?;
                found.extend(locks.into_iter().filter(|(key, _)| {
                    matches!(key, Key::FileLock(_, of, _) | Key::RecordLocks(_, of, _) if *of == sid)
                }));
            }
        }
        Ok(found)
    }

    /// The chunks that the length of the file tells of, and those that follow each other behind them.
    async fn chunks(&self, ino: Ino) -> Result<Found> {
        let attr = match self.read_each(&[Key::Node(ino)]).await?.pop() {
            Some((_, Ok(Record::Node(attr)))) => Some(attr),
            _ => None,
        };
        let length = match attr {
            Some(attr) => attr.length,
            None => self.deleted_length(ino).await?,
        };
        let expected = length.div_ceil(CHUNK_SIZE);
        if expected > MAX_PROBED_CHUNKS {
            let start = format!("{}c{ino}_", self.layout.prefix);
            let names = self.keys_like(&format!("{start}[0-9]*")).await?;
            let indexes = names
                .iter()
                .filter_map(|name| one(name.strip_prefix(start.as_bytes())?));
            let keys: Vec<Key> = indexes
                .filter_map(|index| Some(Key::Chunk(ino, ChunkIndex(u32::try_from(index).ok()?))))
                .collect();
            return self.read_each(&keys).await;
        }
        let mut found = Vec::new();
        let mut first = 0;
        loop {
            let end = first + CHUNKS_AT_ONCE;
            let keys: Vec<Key> = (first..end)
                .filter_map(|index| Some(Key::Chunk(ino, ChunkIndex(u32::try_from(index).ok()?))))
                .collect();
            let part = self.read_each(&keys).await?;
            if part.is_empty() && end >= expected {
                return Ok(found);
            }
            found.extend(part);
            first = end;
        }
    }

    async fn deleted_length(&self, ino: Ino) -> Result<u64> {
        let deleted = Box::pin(self.whole(&Scan::DeletedFiles)).await?;
        let lengths = deleted.iter().filter_map(|(key, _)| match key {
            Key::DeletedFile(of, length) if *of == ino => Some(*length),
            _ => None,
        });
        Ok(lengths.max().unwrap_or(0))
    }

    async fn changelog(&self) -> Result<Found> {
        let mut last = redis::cmd("GET");
        last.arg(self.layout.key("txnLastLog"));
        let mut lines = redis::cmd("LRANGE");
        lines.arg(self.layout.key("txnLog")).arg(0).arg(-1);
        let mut answers = self.connection.ask_all(vec![last, lines]).await?.into_iter();
        let last = match answers.next() {
            Some(Value::BulkString(bytes)) => number(&bytes)?,
            _ => 0,
        };
        let lines = strings(answers.next().unwrap_or(Value::Nil))?;
        let first = last.cast_unsigned().saturating_sub(lines.len() as u64) + 1;
        let text = |line: Vec<u8>| String::from_utf8_lossy(&line).into_owned();
        let numbered = (first..).zip(lines);
        Ok(numbered
            .map(|(version, line)| (Key::ChangelogLine(version), Ok(Record::ChangelogLine(text(line)))))
            .collect())
    }
}

/// The records that the fields of a hash are.
fn records(fields: BTreeMap<Vec<u8>, Vec<u8>>, key: &dyn Fn(&[u8]) -> Option<Key>) -> Found {
    let records = fields.into_iter().filter_map(|(field, value)| {
        let key = key(&field)?;
        let record = decode(&key, &[Some(value)]).transpose()?;
        Some((key, record))
    });
    records.collect()
}

/// What a field stands for in the hash of a range ([`Layout::hash_of`]).
pub(super) fn field_key(range: &Scan, field: &[u8]) -> Option<Key> {
    match range {
        Scan::Edges(directory) => Some(Key::Edge(*directory, Name::new(field).ok()?)),
        Scan::Xattrs(ino) => Some(Key::Xattr(*ino, field.to_vec())),
        Scan::FileLocks(ino) => lock_owner(field).map(|(sid, owner)| Key::FileLock(*ino, sid, owner)),
        Scan::RecordLocks(ino) => lock_owner(field).map(|(sid, owner)| Key::RecordLocks(*ino, sid, owner)),
        _ => None,
    }
}

/// The least key of the group that a key is in.
fn group_of(key: &Key) -> Key {
    match (key, Name::new(b"\x01")) {
        (Key::Edge(directory, _), Ok(first)) => Key::Edge(*directory, first),
        (Key::Sustained(sid, _), _) => Key::Sustained(*sid, Ino::NONE),
        _ => key.clone(),
    }
}

/// One page of what was collected.
pub(super) fn page(mut found: Found, after: Option<&Key>, limit: usize) -> Survey {
    found.retain(|(key, _)| after.is_none_or(|after| key > after));
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let limit = limit.max(1);
    let more = found.len() > limit;
    found.truncate(limit);
    let mut survey = Survey {
        next: found.last().filter(|_| more).map(|(key, _)| key.clone()),
        ..Survey::default()
    };
    for (key, record) in found {
        match record {
            Ok(record) => survey.items.push((key, record)),
            Err(error) => survey.damaged.push(DamagedRecord {
                key: Some(key),
                error,
            }),
        }
    }
    survey
}

/// Cursor and items of an answer to SCAN or HSCAN.
fn scanned(answer: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    match answer {
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            match (parts.next(), parts.next()) {
                (Some(Value::BulkString(cursor)), Some(items)) => Ok((cursor, strings(items)?)),
                (Some(other), _) => Err(unexpected(&other)),
                _ => Err(unexpected(&Value::Nil)),
            }
        }
        other => Err(unexpected(&other)),
    }
}

fn strings(answer: Value) -> Result<Vec<Vec<u8>>> {
    match answer {
        Value::Nil => Ok(Vec::new()),
        Value::Array(items) | Value::Set(items) => items
            .into_iter()
            .map(|item| match item {
                Value::BulkString(bytes) => Ok(bytes),
                other => Err(unexpected(&other)),
            })
            .collect(),
        other => Err(unexpected(&other)),
    }
}

fn one(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn pair(text: &[u8], separator: char) -> Option<(u64, u64)> {
    let (first, second) = std::str::from_utf8(text).ok()?.split_once(separator)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

fn slice_key(field: &[u8]) -> Option<Key> {
    let (id, size) = pair(field.strip_prefix(b"k")?, '_')?;
    Some(Key::SliceRef(SliceId(id), u32::try_from(size).ok()?))
}

fn lock_owner(field: &[u8]) -> Option<(SessionId, LockOwner)> {
    let (sid, owner) = std::str::from_utf8(field).ok()?.split_once('_')?;
    Some((
        SessionId(sid.parse().ok()?),
        LockOwner(u64::from_str_radix(owner, 16).ok()?),
    ))
}

/// Members of old clients have more or fewer parts (spec 30-redis section 2).
fn deleted_file(member: &[u8]) -> Option<Key> {
    let parts: Vec<&str> = std::str::from_utf8(member).ok()?.split(':').collect();
    let ino = Ino(parts.first()?.parse().ok()?);
    let length = match parts.as_slice() {
        [_, length] | [_, _, length, ..] => length.parse().ok()?,
        _ => UNKNOWN_LENGTH,
    };
    Some(Key::DeletedFile(ino, length))
}
