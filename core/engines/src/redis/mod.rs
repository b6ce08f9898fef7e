//! Redis: pipelined reads that remember what they saw, and one script that compares and applies.
//!
//! Conflict safety next to clients that use WATCH and MULTI: the script changes the very keys that they watch, so
//! their EXEC fails; and it compares every value that a verb decided on before it writes the first one, within one
//! command, so nothing of theirs comes in between.

mod address;
mod cells;
mod changes;
mod commit;
mod connection;
mod layout;
mod survey;
mod txn;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Page, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use rand::RngExt as _;
use redis::{Script, Value};

use address::Address;
use cells::{decode, number, unexpected};
use connection::Connection;
use layout::Layout;
use survey::Reader;
use txn::RedisTxn;

/// Runs of one job before its conflicts are reported, as the original tries.
const MAX_RUNS: u32 = 50;
/// Longest wait before another run; it grows by one step per run.
const MAX_WAIT: Duration = Duration::from_millis(40);
/// Step of the wait between runs.
const WAIT_STEP: Duration = Duration::from_millis(1);
/// Names of keys of a volume; those that hold numbers end in `[0-9]*`.
const KEY_PATTERNS: [&str; 8] = [
    "i[0-9]*",
    "d[0-9]*",
    "p[0-9]*",
    "c[0-9]*_[0-9]*",
    "s[0-9]*",
    "x[0-9]*",
    "lock[fp][0-9]*",
    "k[0-9]*_[0-9]*",
];
/// The other names of keys of a volume.
const KEY_NAMES: [&str; 33] = [
    "setting",
    "allSessions",
    "sessionInfos",
    "sessions",
    "delfiles",
    "detachedNodes",
    "sliceRef",
    "delSlices",
    "dirDataLength",
    "dirUsedSpace",
    "dirUsedInodes",
    "dirQuota",
    "dirQuotaUsedSpace",
    "dirQuotaUsedInodes",
    "userQuota",
    "userQuotaUsedSpace",
    "userQuotaUsedInodes",
    "groupQuota",
    "groupQuotaUsedSpace",
    "groupQuotaUsedInodes",
    "acl",
    "krbToken",
    "txnLog",
    "txnLastLog",
    "nextinode",
    "nextchunk",
    "nextsession",
    "nextTrash",
    "usedSpace",
    "totalInodes",
    "aclMaxId",
    "krbTokenMaxId",
    "nextCleanupSlices",
];
/// Guards of the hourly jobs.
const GUARD_NAMES: [&str; 4] = [
    "lastCleanupSessions",
    "lastCleanupFiles",
    "lastCleanupTrash",
    "lastCleanupChangelog",
];

/// Entry, raw attributes and number of entries of a child. Lua counts exactly up to 2^53 only; for inode numbers
/// above, which the trash has, the entry comes alone.
const CHILD: &str = r"
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry or #entry ~= 9 then return {entry} end
local n = 0
for i = 2, 9 do n = n * 256 + string.byte(entry, i) end
if n >= 9007199254740992 then return {entry} end
local ino = string.format('%.0f', n)
local length = 0
if string.byte(entry, 1) == 2 then length = redis.call('HLEN', ARGV[2] .. 'd' .. ino) end
return {entry, redis.call('GET', ARGV[2] .. 'i' .. ino), length}
";

/// The Redis engine.
///
/// Round trips: a read of any number of records, a lookup 1; a listing 1, with attributes 2 (one more per 10 000
/// entries); a job one per `lock` of its verb, and 1 for the commit; a job without writes and decisions none.
pub(crate) struct RedisEngine {
    reader: Reader,
    commit: Script,
    child: Script,
}

impl RedisEngine {
    /// For a `redis://` or `unix://` URL.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed URL, `NotSupported` for TLS and lists of servers.
    pub(crate) fn open(url: &str, password: Option<&str>) -> Result<RedisEngine> {
        let connection = Connection::new(Address::parse(url, password)?);
        Ok(RedisEngine {
            reader: Reader::new(connection, Layout::default()),
            commit: Script::new(commit::COMMIT),
            child: Script::new(CHILD),
        })
    }

    fn connection(&self) -> &Connection {
        &self.reader.connection
    }

    /// Entry, raw attributes, and number of entries of a directory: one round trip, two in the trash.
    async fn child(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Vec<u8>>, u64)>> {
        let mut call = self.child.key(self.reader.layout.directory(parent));
        call.arg(name.as_bytes()).arg(&self.reader.layout.prefix);
        let call = &call;
        let answer: Vec<Value> = self
            .connection()
            .again(move |mut handle| Box::pin(async move { call.invoke_async(&mut handle).await }))
            .await?;
        let mut answer = answer.into_iter();
        let entry = match answer.next() {
            None | Some(Value::Nil) => return Ok(None),
            Some(Value::BulkString(bytes)) => {
                Entry::decode(&bytes).map_err(|error| error.context(Key::Edge(parent, name.clone())))?
            }
            Some(other) => return Err(unexpected(&other)),
        };
        let (node, length) = match (answer.next(), answer.next()) {
            (Some(Value::BulkString(bytes)), Some(Value::Int(length))) => (Some(bytes), length),
            (Some(Value::Nil), Some(Value::Int(length))) => (None, length),
            _ => {
                let cells = [
                    cells::Cell::Text(self.reader.layout.node(entry.ino)),
                    cells::Cell::Fields(self.reader.layout.directory(entry.ino)),
                ];
                let commands = cells.iter().map(cells::Cell::read).collect();
                let mut answers = self.connection().ask_all(commands).await?.into_iter();
                match (answers.next(), answers.next()) {
                    (Some(Value::BulkString(bytes)), Some(Value::Int(length))) => (Some(bytes), length),
                    (_, Some(Value::Int(length))) => (None, length),
                    _ => (None, 0),
                }
            }
        };
        Ok(Some((entry, node, length.cast_unsigned())))
    }

    async fn with_attributes(
        &self,
        entries: Vec<(Key, Record)>,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let mut listed: Vec<DirectoryEntry> = entries
            .into_iter()
            .filter_map(|(key, record)| match (key, record) {
                (Key::Edge(_, name), Record::Edge(entry)) => Some(DirectoryEntry {
                    name,
                    entry,
                    attr: None,
                    damaged: false,
                }),
                _ => None,
            })
            .collect();
        if !attributes || listed.is_empty() {
            return Ok(listed);
        }
        let mut command = redis::cmd("MGET");
        for item in &listed {
            command.arg(self.reader.layout.node(item.entry.ino));
        }
        let Value::Array(nodes) = self.connection().ask(command).await? else {
            return Ok(listed);
        };
        for (item, node) in listed.iter_mut().zip(nodes) {
            if let Value::BulkString(bytes) = node {
                match Attr::decode(&bytes) {
                    Ok(attr) => item.attr = Some(attr),
                    Err(_) => item.damaged = true,
                }
            }
        }
        Ok(listed)
    }

    /// Adds to a counter at once; the stored value afterwards. Not sent again when the connection breaks: the ids
    /// of the first try would only be lost, but it is not known to be needed.
    async fn add_to_counter(&self, counter: Counter, delta: i64) -> Result<i64> {
        let mut command = redis::cmd("INCRBY");
        command.arg(self.reader.layout.counter(counter)).arg(delta);
        let mut handle = self.connection().handle().await?;
        command
            .query_async(&mut handle)
            .await
            .map_err(|error| self.connection().failure(&error))
    }

    /// Compares and applies; the error is the conflict or what kept it from being known.
    async fn commit(&self, verb: &'static str, txn: RedisTxn<'_>) -> Result<()> {
        let mut commands = Vec::new();
        for change in &txn.changes {
            commands.extend(changes::commands(&self.reader.layout, change)?);
        }
        if commands.is_empty() {
            return Ok(());
        }
        if let Some(key) = txn.clash {
            return Err(Error::new(ErrorKind::Conflict, format!("{verb}: {key} exists")));
        }
        let seen: Vec<_> = txn.seen.iter().collect();
        let mut call = self.commit.prepare_invoke();
        commit::arguments(&mut call, seen.iter().copied(), &commands);
        let mut handle = self.connection().handle().await?;
        let changed: i64 = call.invoke_async(&mut handle).await.map_err(|error| {
            let failure = self.connection().failure(&error);
            if error.is_io_error() {
                failure.context(format!("{verb}: the commit was sent and its fate is not known"))
            } else {
                failure.context(verb)
            }
        })?;
        if changed == 0 {
            return Ok(());
        }
        let place = usize::try_from(changed - 1).unwrap_or(usize::MAX);
        let key = seen.get(place).map_or_else(String::new, |(cell, _)| {
            let (_, key, member) = cell.parts();
            format!(
                "{} {}",
                String::from_utf8_lossy(key),
                String::from_utf8_lossy(member)
            )
        });
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "{verb}: another client changed {} at the same time",
                key.trim_end()
            ),
        ))
    }
}

impl fmt::Debug for RedisEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisEngine").field(&self.location()).finish()
    }
}

#[async_trait]
impl Read for RedisEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.reader.values(keys).await?;
        keys.iter()
            .zip(values)
            .map(|(key, values)| decode(key, &values))
            .collect()
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.reader.survey(range, after, limit).await
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let Some((entry, node, _)) = self.child(parent, name).await? else {
            return Ok(None);
        };
        match decode(&Key::Node(entry.ino), &[node])? {
            Some(Record::Node(attr)) => Ok(Some((entry, Some(attr)))),
            _ => Ok(Some((entry, None))),
        }
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let page: Page = self.scan(&Scan::Edges(directory), after.as_ref(), limit).await?;
        self.with_attributes(page.items, attributes).await
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let counts = self
            .reader
            .fields(self.reader.layout.numbered("p", ino.0))
            .await?;
        let mut parents = Vec::new();
        for (parent, count) in counts {
            // Counts of 0 and below may remain (spec 30-redis section 2).
            let (parent, count) = (number(&parent)?, number(&count)?);
            if count > 0 {
                parents.push((
                    Ino(parent.cast_unsigned()),
                    u32::try_from(count).unwrap_or(u32::MAX),
                ));
            }
        }
        Ok(parents)
    }
}

#[async_trait]
impl Engine for RedisEngine {
    fn location(&self) -> String {
        self.connection().address.shown.clone()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    /// Nothing has to be made; warns when the server may drop records.
    async fn prepare(&self) -> Result<()> {
        let mut command = redis::cmd("INFO");
        command.arg("memory");
        if let Value::BulkString(text) = self.connection().ask(command).await? {
            let text = String::from_utf8_lossy(&text);
            let policy = text
                .lines()
                .find_map(|line| line.strip_prefix("maxmemory_policy:"));
            if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
                tracing::warn!(
                    "Redis {} evicts keys when its memory is full (maxmemory-policy {policy}), which damages the \
                     volume; set it to noeviction",
                    self.location()
                );
            }
        }
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool> {
        match self.connection().ask(redis::cmd("DBSIZE")).await? {
            Value::Int(keys) => Ok(keys == 0),
            other => Err(unexpected(&other)),
        }
    }

    async fn execute(&self, mut job: Job) -> Result<()> {
        let mut last = Error::from(ErrorKind::Conflict);
        for run in 0..MAX_RUNS {
            if run > 0 {
                let longest = (WAIT_STEP * run).min(MAX_WAIT);
                let wait = rand::rng().random_range(Duration::ZERO..=longest);
                tokio::time::sleep(wait).await;
            }
            let mut txn = RedisTxn::new(self);
            let result = match (job.body)(&mut txn).await {
                Ok(()) => self.commit(job.verb, txn).await,
                Err(error) => Err(error),
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Conflict => last = error,
                other => return other,
            }
        }
        Err(last.context(format!("{}: {MAX_RUNS} runs met a conflict each", job.verb)))
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let last = self.add_to_counter(counter, delta).await?;
        Ok((last + 1 - delta).cast_unsigned())
    }

    async fn make_durable(&self) -> Result<()> {
        Ok(())
    }

    async fn wipe(&self) -> Result<()> {
        let names = KEY_NAMES.iter().chain(&GUARD_NAMES);
        let mut keys: Vec<Vec<u8>> = names.map(|name| self.reader.layout.key(name)).collect();
        for pattern in KEY_PATTERNS.iter().chain(&["session[0-9]*", "locked[0-9]*"]) {
            let pattern = format!("{}{pattern}", self.reader.layout.prefix);
            keys.extend(self.reader.keys_like(&pattern).await?);
        }
        let unlink = keys.chunks(1000).map(|part| {
            let mut command = redis::cmd("UNLINK");
            command.arg(part);
            command
        });
        self.connection().ask_all(unlink.collect()).await.map(drop)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
