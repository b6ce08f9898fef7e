//! TiKV: reads of one moment, and a commit that the servers refuse when others wrote what it rests on.
//!
//! Conflict safety next to JuiceFS clients (spec 50-tkv section 5): two transactions conflict when they write a common
//! key. Here every key that a verb decided on is part of the commit, written or locked, and whoever adds an entry, an
//! extended attribute or a chunk locks the node that it belongs to; so decisions on absent records and on being empty
//! hold as well.

mod address;
mod changelog;
mod commit;
mod failure;
mod layout;
mod link;
mod locks;
mod ranges;
mod reader;
mod staged;
mod tls;
mod turns;
mod txn;
mod values;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Page, Read, Record, Scan, Survey, run};
use moorage_model::{Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;
use tokio::sync::{RwLock, RwLockReadGuard};

use address::Address;
use commit::Failed;
use layout::{Layout, behind};
use link::Link;
use reader::{Guesses, Reader, no_guesses};
use turns::Turns;
use txn::TikvTxn;

use crate::entries::records_only;
use crate::runs::{MAX_RUNS, wait_before};
use crate::sums::{Sums, is_summed, write_later};
use crate::write::Write;

/// Changes of usage in one transaction, as the original writes them.
const SUMS_AT_ONCE: usize = 20;
/// Keys that are removed at once.
const KEYS_AT_ONCE: usize = 1000;

/// The TiKV engine.
///
/// Round trips, counted by `tests/tikv`, where all keys are in one region (else the regions are asked at the same
/// time): every read and every job takes one to a placement driver for its moment, which callers at the same time
/// share. To the servers: a read of any number of records 1; a lookup 1 when the name was read before and still has the
/// same inode, else 2; a page of a directory 1, with attributes 2. A job 1 per `lock` of its verb, 1 more for the nodes
/// of names that were not read before, 1 when it changes numbers or slice lists that it did not read, and 1 for the
/// commit; without writes none. The usage that all jobs of a second changed 2 per 20 records in the background.
pub(crate) struct TikvEngine {
    shared: Arc<Shared>,
}

/// What the tasks behind the engine need too.
struct Shared {
    link: Link,
    layout: Arc<Layout>,
    guesses: Guesses,
    turns: Turns,
    sums: Mutex<Sums>,
    /// Held shared by those who read a record and its sum, so that none is counted twice or not at all.
    writing_sums: RwLock<()>,
}

impl TikvEngine {
    /// For a `tikv://` URL.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed URL, `NotSupported` for options that can not be followed.
    pub(crate) fn open(url: &str) -> Result<TikvEngine> {
        let address = Address::parse(url)?;
        let layout = Arc::new(Layout {
            prefix: address.prefix.clone(),
        });
        Ok(TikvEngine {
            shared: Arc::new(Shared {
                link: Link::new(address),
                layout,
                guesses: no_guesses(),
                turns: Turns::default(),
                sums: Mutex::default(),
                writing_sums: RwLock::new(()),
            }),
        })
    }
}

impl Shared {
    /// Reads of the state as it is now.
    async fn reader(&self) -> Result<Reader> {
        Ok(Reader {
            layout: Arc::clone(&self.layout),
            moment: self.link.now().await?,
        })
    }

    /// Keeps sums from being written while records that have some are read.
    async fn hold_sums(&self, summed: bool) -> Option<RwLockReadGuard<'_, ()>> {
        if summed {
            Some(self.writing_sums.read().await)
        } else {
            None
        }
    }

    /// A record with the sums of this client.
    fn with_sums(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        if is_summed(key) {
            self.sums.lock().view(key, committed)
        } else {
            committed
        }
    }

    /// Records as they are now, with the sums of this client.
    async fn records(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let _still = self.hold_sums(keys.iter().any(is_summed)).await;
        let found = self.reader().await?.records(keys).await?;
        let pairs = keys.iter().zip(found);
        Ok(pairs.map(|(key, record)| self.with_sums(key, record)).collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let summed = matches!(range, Scan::DirStats | Scan::Quotas);
        let _still = self.hold_sums(summed).await;
        let mut page = self.reader().await?.survey(range, after, limit).await?;
        if summed {
            let items = std::mem::take(&mut page.items).into_iter();
            page.items = items
                .filter_map(|(key, record)| {
                    let record = self.with_sums(&key, Some(record))?;
                    Some((key, record))
                })
                .collect();
        }
        Ok(page)
    }

    /// Takes over changes of usage; they are written within a second.
    fn sum_up(shared: &Arc<Shared>, sums: &Sums, replaced: &[Key]) {
        if shared.sums.lock().take_over(sums, replaced) {
            write_later(shared, |shared| async move { Shared::write_sums(&shared).await });
        }
    }

    /// Writes the sums of this client. Those of a transaction that failed are tried again; when its fate is not known they
    /// are dropped, since a repair can count what is missing, and what is counted twice stays.
    async fn write_sums(shared: &Arc<Shared>) -> Result<()> {
        let _alone = shared.writing_sums.write().await;
        let sums = std::mem::take(&mut *shared.sums.lock());
        let changes: Vec<Write> = sums.changes().cloned().collect();
        let (mut outcome, mut left) = (Ok(()), Sums::default());
        for group in changes.chunks(SUMS_AT_ONCE) {
            if let Err(failed) = Shared::write_now(shared, group).await {
                if !failed.unknown {
                    group.iter().for_each(|change| left.add(change));
                }
                outcome = Err(failed.error);
            }
        }
        Shared::sum_up(shared, &left, &[]);
        outcome
    }

    async fn write_now(shared: &Arc<Shared>, changes: &[Write]) -> Result<(), Failed> {
        let mut last = Failed::default();
        for run in 0..MAX_RUNS {
            wait_before(run).await;
            let begun = TikvTxn::begin(shared).await;
            let mut txn = begun.map_err(|error| Failed {
                error,
                ..Failed::default()
            })?;
            txn.collect(changes.iter().cloned());
            match txn.commit("usage", true).await {
                Err(failed) if failed.error.kind() == ErrorKind::Conflict => last = failed,
                other => return other,
            }
        }
        Err(last)
    }

    async fn run_once(shared: &Arc<Shared>, job: &mut Job) -> Result<(), Failed> {
        let of_body = |error| Failed {
            error,
            ..Failed::default()
        };
        let mut txn = TikvTxn::begin(shared).await.map_err(of_body)?;
        (job.body)(&mut txn).await.map_err(of_body)?;
        txn.commit(job.verb, false).await
    }
}

impl fmt::Debug for TikvEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TikvEngine").field(&self.location()).finish()
    }
}

#[async_trait]
impl Read for TikvEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.shared.records(keys).await
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        self.shared.survey(range, after, limit).await
    }

    async fn scan(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Page> {
        records_only(self.survey(range, after, limit).await?).whole()
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let reader = self.shared.reader().await?;
        reader.child(&self.shared.guesses, parent, name).await
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let reader = self.shared.reader().await?;
        reader.listing(directory, after, limit, attributes).await
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.shared.reader().await?.parents(ino).await
    }
}

#[async_trait]
impl Engine for TikvEngine {
    fn location(&self) -> String {
        self.shared.link.address.shown.clone()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    /// Nothing has to be made.
    async fn prepare(&self) -> Result<()> {
        self.shared.link.now().await.map(drop)
    }

    async fn is_empty(&self) -> Result<bool> {
        let reader = self.shared.reader().await?;
        let found = reader.moment.keys(reader.layout.everything(), 1).await?;
        Ok(found.is_empty())
    }

    async fn execute(&self, mut job: Job) -> Result<()> {
        let mut last = Error::from(ErrorKind::Conflict);
        // Jobs of this client that want the same key go on one by one.
        let mut turn = None;
        for run in 0..MAX_RUNS {
            wait_before(run).await;
            match Shared::run_once(&self.shared, &mut job).await {
                Err(failed) if failed.error.kind() == ErrorKind::Conflict => {
                    last = failed.error;
                    if let Some(key) = failed.key
                        && turn.as_ref().is_none_or(|(held, _)| *held != key)
                    {
                        drop(turn.take());
                        let guard = self.shared.turns.wait(&key).await;
                        turn = Some((key, guard));
                    }
                }
                Err(failed) => return Err(failed.error),
                Ok(()) => return Ok(()),
            }
        }
        Err(last.context(format!("{}: {MAX_RUNS} runs met a conflict each", job.verb)))
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let before = run(self, "allocate", move |txn| {
            Box::pin(async move {
                let stored = txn.get_locked(&[Key::Counter(counter)]).await?.counter()?;
                txn.add_counter(counter, delta);
                Ok(stored.unwrap_or(counter.initial()))
            })
        });
        // The others hold the last id that was used.
        let first = before.await?.saturating_add(i64::from(!counter.is_next_free()));
        Ok(first.cast_unsigned())
    }

    async fn make_durable(&self) -> Result<()> {
        Shared::write_sums(&self.shared).await
    }

    async fn drop_old_versions(&self) -> Result<()> {
        match self.shared.link.address.gc_interval {
            Some(kept) => self.shared.link.now().await?.drop_versions(kept).await,
            None => Ok(()),
        }
    }

    async fn wipe(&self) -> Result<()> {
        let (mut from, end) = self.shared.layout.everything();
        *self.shared.sums.lock() = Sums::default();
        loop {
            let reader = self.shared.reader().await?;
            let keys = reader.moment.keys((from, end.clone()), KEYS_AT_ONCE).await?;
            let Some(last) = keys.last().cloned() else {
                return Ok(());
            };
            let (mut transaction, _) = self.shared.link.begin().await?;
            let removed = async {
                for key in keys {
                    transaction.delete(key).await?;
                }
                transaction.commit().await
            };
            removed
                .await
                .map_err(|error| failure::failure(&self.location(), &error).context("wipe"))?;
            from = behind(last);
        }
    }

    async fn close(&self) -> Result<()> {
        self.make_durable().await
    }
}
