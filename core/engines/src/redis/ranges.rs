//! Ranges that are one or a few keys.

use std::ops::Range;

use moorage_meta::{Key, Record, Scan};
use moorage_model::{CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Ino, Result, SessionId};
use redis::Value;

use super::cells::number;
use super::found::Found;
use super::names::{
    acl_key, chunk_key, delayed_key, deleted_file, field_key, lock_range, one, quota_key, slice_key, strings,
};
use super::reader::Reader;

/// Chunks read at once, and asked for behind the last one that the length tells of: `EXISTS` of as many keys takes a server
/// some 20 microseconds.
const CHUNKS_AT_ONCE: u64 = 256;
/// Chunks from which on a file is too long to ask for each one.
const MAX_PROBED_CHUNKS: u64 = 100_000;

impl Reader {
    /// Every record of a range that is one or a few keys.
    ///
    /// # Errors
    /// `NotSupported` for the ranges of all keys of a kind, which are read in pages.
    pub(super) async fn whole(&self, range: &Scan) -> Result<Found> {
        let layout = &self.layout;
        if let Some(table) = layout.hash_of(range) {
            let fields = self.fields(&table).await?;
            return Ok(Found::of_fields(&table, fields, &|field| field_key(range, field)));
        }
        match range {
            Scan::SliceRefs => self.hash("sliceRef", &slice_key).await,
            Scan::DeadSlices => {
                let mut found = self.hash("sliceRef", &slice_key).await?;
                found
                    .records
                    .retain(|(_, record)| !matches!(record, Ok(Record::Owners(1..))));
                Ok(found)
            }
            Scan::DelayedSlices => self.hash("delSlices", &delayed_key).await,
            Scan::Acls => self.hash("acl", &acl_key).await,
            Scan::Sessions => {
                let place = layout.key("allSessions");
                let scores = self.scores(&place).await?;
                let mut found = Found::default();
                let sids = scores.iter().map(|(sid, _)| sid.as_slice());
                let keys = found.keys(&place, sids, &|sid| Some(Key::Session(SessionId(one(sid)?))));
                found.extend(self.read_each(&keys).await?);
                Ok(found)
            }
            // Clients of that age knew no clusters, and the key has no hash tag.
            Scan::LegacySessions if !layout.prefix.is_empty() => Ok(Found::default()),
            Scan::LegacySessions => {
                self.scored(b"sessions".to_vec(), &|sid| {
                    Some(Key::LegacySession(SessionId(one(sid)?)))
                })
                .await
            }
            Scan::Detached => {
                self.scored(layout.key("detachedNodes"), &|ino| {
                    Some(Key::Detached(Ino(one(ino)?)))
                })
                .await
            }
            Scan::DeletedFiles => self.scored(layout.key("delfiles"), &deleted_file).await,
            Scan::Sustained(sid) => self.sustained(*sid).await,
            Scan::SessionLocks(sid) => self.session_locks(*sid).await,
            Scan::DirStats => {
                let fields = "dirUsedSpace";
                self.named(fields, &|ino| Some(Key::DirStat(Ino(one(ino)?))))
                    .await
            }
            Scan::Quotas => {
                let mut found = Found::default();
                for kind in ["dir", "user", "group"] {
                    let fields = format!("{kind}QuotaUsedInodes");
                    found.extend(self.named(&fields, &|field| quota_key(kind, field)).await?);
                }
                Ok(found)
            }
            Scan::Chunks(ino) => {
                let length = self.length(*ino).await?;
                self.chunks(*ino, length).await
            }
            Scan::DeletedChunks(ino, length) => self.chunks(*ino, *length).await,
            Scan::Changelog => self.changelog().await,
            // Read above, or in pages.
            Scan::Edges(_)
            | Scan::Xattrs(_)
            | Scan::FileLocks(_)
            | Scan::RecordLocks(_)
            | Scan::AllNodes
            | Scan::AllEdges
            | Scan::AllChunks
            | Scan::AllXattrs
            | Scan::AllSustained => Err(Error::new(
                ErrorKind::NotSupported,
                format!("{range:?} is not collected as one"),
            )),
        }
    }

    /// Records that are fields of one hash.
    async fn hash(&self, name: &str, key: &(dyn Fn(&[u8]) -> Option<Key> + Sync)) -> Result<Found> {
        let table = self.layout.key(name);
        let fields = self.fields(&table).await?;
        Ok(Found::of_fields(&table, fields, key))
    }

    /// Records that the fields of a hash name and that have more cells.
    async fn named(&self, name: &str, key: &(dyn Fn(&[u8]) -> Option<Key> + Sync)) -> Result<Found> {
        let table = self.layout.key(name);
        let fields = self.fields(&table).await?;
        let mut found = Found::default();
        let keys = found.keys(&table, fields.keys().map(Vec::as_slice), key);
        found.extend(self.read_each(&keys).await?);
        Ok(found)
    }

    async fn scored(&self, table: Vec<u8>, key: &(dyn Fn(&[u8]) -> Option<Key> + Sync)) -> Result<Found> {
        let scores = self.scores(&table).await?;
        Ok(Found::of_fields(&table, scores, key))
    }

    async fn sustained(&self, sid: SessionId) -> Result<Found> {
        let place = self.layout.numbered("session", sid.0);
        let members = self.members(&place).await?;
        let mut found = Found::default();
        let inos = members.iter().map(Vec::as_slice);
        let keys = found.keys(&place, inos, &|ino| Some(Key::Sustained(sid, Ino(one(ino)?))));
        found.records = keys.into_iter().map(|key| (key, Ok(Record::Sustained))).collect();
        Ok(found)
    }

    /// Locks that the session's own list names. The original leaves its shared BSD locks out of that list; whoever
    /// meets one of a session that is gone passes over it.
    async fn session_locks(&self, sid: SessionId) -> Result<Found> {
        let place = self.layout.numbered("locked", sid.0);
        let mut found = Found::default();
        for table in self.members(&place).await? {
            let name = table
                .strip_prefix(self.layout.prefix.as_bytes())
                .unwrap_or(&table);
            let Some(range) = lock_range(name) else {
                found.nameless.push(super::names::nameless(&place, &table));
                continue;
            };
            let mut locks = Box::pin(self.whole(&range)).await?;
            locks.records.retain(
                |(key, _)| matches!(key, Key::FileLock(_, of, _) | Key::RecordLocks(_, of, _) if *of == sid),
            );
            found.records.extend(locks.records);
        }
        Ok(found)
    }

    /// The chunks that the length of the file tells of, and those that follow behind them without a gap of 256.
    /// One round trip per 256 chunks.
    async fn chunks(&self, ino: Ino, length: u64) -> Result<Found> {
        let expected = length.div_ceil(CHUNK_SIZE);
        if expected > MAX_PROBED_CHUNKS {
            let names = self
                .keys_like(&format!("{}c{ino}_[0-9]*", self.layout.prefix))
                .await?;
            let start = format!("{}c", self.layout.prefix);
            let keys: Vec<Key> = names
                .iter()
                .filter_map(|name| chunk_key(name.strip_prefix(start.as_bytes())?))
                .collect();
            return self.read_each(&keys).await;
        }
        let mut found = Found::default();
        let (mut first, mut end) = (0, expected.min(CHUNKS_AT_ONCE));
        loop {
            let keys: Vec<Key> = chunk_indexes(first..end)
                .map(|index| Key::Chunk(ino, index))
                .collect();
            let behind = end..end + CHUNKS_AT_ONCE;
            let (part, more) = tokio::try_join!(self.read_each(&keys), self.has_chunks(ino, behind.clone()))?;
            found.extend(part);
            if !more && end >= expected {
                return Ok(found);
            }
            (first, end) = (behind.start, behind.end);
        }
    }

    async fn has_chunks(&self, ino: Ino, indexes: Range<u64>) -> Result<bool> {
        let mut command = redis::cmd("EXISTS");
        for index in chunk_indexes(indexes) {
            command.arg(self.layout.chunk(ino, index));
        }
        Ok(self.connection.ask(command).await? != Value::Int(0))
    }

    /// Length of a file, also of one whose node is gone.
    async fn length(&self, ino: Ino) -> Result<u64> {
        match self.read_each(&[Key::Node(ino)]).await?.records.pop() {
            Some((_, Ok(Record::Node(attr)))) => Ok(attr.length),
            _ => self.deleted_length(ino).await,
        }
    }

    async fn deleted_length(&self, ino: Ino) -> Result<u64> {
        let deleted = Box::pin(self.whole(&Scan::DeletedFiles)).await?;
        let lengths = deleted.records.iter().filter_map(|(key, _)| match key {
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
        let records = (first..)
            .zip(lines)
            .map(|(version, line)| (Key::ChangelogLine(version), Ok(Record::ChangelogLine(text(line)))));
        Ok(Found {
            records: records.collect(),
            ..Found::default()
        })
    }
}

fn chunk_indexes(range: Range<u64>) -> impl Iterator<Item = ChunkIndex> {
    range.filter_map(|index| u32::try_from(index).ok().map(ChunkIndex))
}
