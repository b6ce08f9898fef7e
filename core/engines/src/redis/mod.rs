//! Redis: pipelined reads that remember what they saw, and one script that compares and applies.
//!
//! Conflict safety next to clients that use WATCH and MULTI: the script changes the very keys that they watch, so
//! their EXEC fails; and it compares every value that a verb decided on before it writes the first one, within one
//! command, so nothing of theirs comes in between.
//!
//! A commit is all or nothing: before its first write the script makes sure that no later one can fail. Its fate is
//! known: see [`token`].

mod address;
mod cells;
mod changes;
mod child;
mod commit;
mod connection;
mod directory;
mod facts;
mod failure;
mod found;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod layout;
mod link;
mod listing;
mod locked;
mod memory;
mod names;
mod options;
mod patience;
mod ranges;
mod reader;
mod scripts;
mod store;
mod tls;
mod token;
mod tracking;
mod txn;
mod view;
mod watch;
mod wipe;

use std::fmt;

use async_trait::async_trait;
use moorage_meta::{Changes, DirectoryEntry, Durability, Engine, Job, Key, Page, Read, Record, Scan, Survey};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result, Verdict};
use tokio::sync::OnceCell;

use address::{Address, Passwords};
use cells::{DAMAGE_ADVICE, decode};
use commit::{Answer, Commit};
use connection::Connection;
use layout::Layout;
use locked::RedisTxn;
use reader::Reader;
use token::Tokens;

use crate::entries::records_only;
use crate::runs::{MAX_RUNS, wait_before};

/// Password of the sentinels, which no URL holds.
const SENTINEL_PASSWORD: &str = "SENTINEL_PASSWORD";

/// The Redis engine.
///
/// Round trips: a read of any number of records, a lookup 1; a listing 1, with attributes 2 (one more per 10 000
/// entries); a job one per `lock` of its verb whose records this client has not read or written lately ([`memory`]), and
/// 1 for the commit, a second one per `lock` when another client changed them meanwhile; a job without writes 1 per
/// `lock`, and with several of them 1 more to make sure that they belong together. Where scripts are not allowed, a lookup
/// and a commit take one more.
pub(crate) struct RedisEngine {
    address: Address,
    /// Made when it is first needed.
    reader: OnceCell<Reader>,
    tokens: Tokens,
}

impl RedisEngine {
    /// For a `redis://`, `rediss://` or `unix://` URL.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed URL, `NotSupported` for options that can not be followed.
    pub(crate) fn open(url: &str, password: Option<&str>) -> Result<RedisEngine> {
        let sentinel = std::env::var(SENTINEL_PASSWORD).ok();
        let passwords = Passwords {
            server: password,
            sentinel: sentinel.as_deref().filter(|password| !password.is_empty()),
        };
        Ok(RedisEngine {
            address: Address::parse(url, passwords)?,
            reader: OnceCell::new(),
            tokens: Tokens::new(),
        })
    }

    async fn reader(&self) -> Result<&Reader> {
        let made = self.reader.get_or_try_init(|| async {
            let (connection, prefix) = Connection::open(self.address.clone()).await?;
            Ok(Reader::new(connection, Layout { prefix }))
        });
        made.await
    }

    /// Compares and applies; the error is the conflict or what kept it from being known.
    async fn commit(&self, reader: &Reader, verb: &'static str, txn: RedisTxn<'_>) -> Result<()> {
        let mut commands = Vec::new();
        for change in &txn.collected.changes {
            commands.extend(changes::commands(&reader.layout, change)?);
        }
        if commands.is_empty() && txn.stages <= 1 {
            return Ok(());
        }
        if let Some(key) = txn.clash {
            return Err(Error::new(ErrorKind::Conflict, format!("{verb}: {key} exists")));
        }
        let commit = Commit {
            seen: txn.seen.into_iter().collect(),
            commands,
        };
        let token = self.tokens.take(&reader.layout);
        let answer = reader.connection.settle(&commit, &token).await;
        match answer.map_err(|error| error.context(verb))? {
            Answer::Applied => {
                reader.memory.applied(&commit);
                Ok(())
            }
            Answer::Changed(place) => {
                let cell = place.and_then(|place| commit.seen.get(place));
                if let Some((cell, _)) = cell {
                    reader.memory.contest(cell);
                }
                let what = cell.map_or_else(|| "a key".to_owned(), |(cell, _)| cell.shown());
                Err(conflict(verb, &what))
            }
            Answer::Late => Err(conflict(verb, "the server")),
            Answer::Mistyped(place) => {
                let cell = commit.seen.get(place);
                let key = cell.map_or_else(String::new, |(cell, _)| cell.shown());
                Err(damaged(verb, &key, "holds another type"))
            }
            Answer::Unfit(place) => {
                let key = commit.commands.get(place).map(|command| command.key.as_slice());
                let key = String::from_utf8_lossy(key.unwrap_or_default());
                Err(damaged(
                    verb,
                    &key,
                    "holds another type, or a number that can not change so",
                ))
            }
        }
    }

    /// Whether what a failed verb read, in several round trips, belongs together.
    async fn still_holds(&self, reader: &Reader, txn: RedisTxn<'_>) -> Result<bool> {
        let commit = Commit {
            seen: txn.seen.into_iter().collect(),
            commands: Vec::new(),
        };
        let token = self.tokens.take(&reader.layout);
        Ok(reader.connection.settle(&commit, &token).await? == Answer::Applied)
    }

    /// Runs a job in this transaction; `None` when it rested on what is remembered and has to run again on what the server
    /// says.
    async fn run_once(&self, reader: &Reader, job: &mut Job, mut txn: RedisTxn<'_>) -> Option<Result<()>> {
        let outcome = (job.body)(&mut txn).await;
        let remembered = txn.remembered;
        if remembered && (outcome.is_err() || txn.collected.changes.is_empty()) {
            return None;
        }
        let outcome = match outcome {
            Ok(()) => self.commit(reader, job.verb, txn).await,
            Err(error) => self.judge(reader, job.verb, txn, error).await,
        };
        match outcome {
            Err(error) if remembered && error.kind() == ErrorKind::Conflict => None,
            outcome => Some(outcome),
        }
    }

    /// What the failure of a verb means.
    async fn judge(
        &self,
        reader: &Reader,
        verb: &'static str,
        txn: RedisTxn<'_>,
        error: Error,
    ) -> Result<()> {
        let of_verb = error.verdict() == Verdict::Refused;
        if !of_verb || txn.stages <= 1 || self.still_holds(reader, txn).await? {
            Err(error)
        } else {
            Err(conflict(verb, "what it read"))
        }
    }
}

fn conflict(verb: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("{verb}: another client changed {what} at the same time"),
    )
}

fn damaged(verb: &str, key: &str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{verb}: the key {key} {what}")).with_advice(DAMAGE_ADVICE)
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
        let values = self.reader().await?.noted_values(keys).await?;
        keys.iter()
            .zip(values)
            .map(|(key, values)| decode(key, &values))
            .collect()
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.reader().await?.survey(range, after, limit).await
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        records_only(self.survey(range, after, limit).await?).whole()
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let reader = self.reader().await?;
        let child = reader.child(parent, name).await?;
        reader.note_child(parent, name, child.as_ref());
        let Some(child) = child else { return Ok(None) };
        match decode(&Key::Node(child.entry.ino), &[child.node])? {
            Some(Record::Node(attr)) => Ok(Some((child.entry, Some(attr)))),
            _ => Ok(Some((child.entry, None))),
        }
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let reader = self.reader().await?;
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let page = reader
            .survey(&Scan::Edges(directory), after.as_ref(), limit)
            .await?;
        reader.with_attributes(page, attributes).await
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.reader().await?.parents(ino).await
    }
}

#[async_trait]
impl Engine for RedisEngine {
    fn location(&self) -> String {
        self.address.shown.clone()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    /// Nothing has to be made.
    async fn prepare(&self) -> Result<()> {
        self.reader().await.map(drop)
    }

    async fn is_empty(&self) -> Result<bool> {
        self.reader().await?.is_empty().await
    }

    async fn execute(&self, mut job: Job) -> Result<()> {
        let reader = self.reader().await?;
        let mut last = Error::from(ErrorKind::Conflict);
        let mut txn = RedisTxn::from_memory(reader);
        let mut conflicts = 0;
        while conflicts < MAX_RUNS {
            wait_before(conflicts).await;
            match self.run_once(reader, &mut job, txn).await {
                None => {}
                Some(Err(error)) if error.kind() == ErrorKind::Conflict => {
                    last = error;
                    conflicts += 1;
                }
                Some(outcome) => return outcome,
            }
            txn = RedisTxn::new(reader);
        }
        Err(last.context(format!("{}: {MAX_RUNS} runs met a conflict each", job.verb)))
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let last = self.reader().await?.add_to_counter(counter, delta).await?;
        Ok((last + 1 - delta).cast_unsigned())
    }

    async fn make_durable(&self) -> Result<()> {
        Ok(())
    }

    async fn watch(&self) -> Result<Changes> {
        let reader = self.reader().await?;
        reader.connection.watch(&reader.layout).await
    }

    async fn wipe(&self) -> Result<()> {
        self.reader().await?.wipe().await
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
