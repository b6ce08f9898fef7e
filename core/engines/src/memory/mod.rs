//! An engine in this process: ordered records, optimistic transactions whose writes are applied at commit.
//!
//! It keeps nothing past the process. It serves tests: it runs verbs the way a network engine does, with collected
//! writes, conflicts and repeated bodies, and can be told to fail around a commit.

mod fault;
mod scan;
mod txn;

use std::collections::BTreeMap;

use async_trait::async_trait;
use moorage_meta::{
    ChangeSender, Changes, DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey,
    change_channel,
};
use moorage_model::{Counter, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;

pub use fault::{CommitFault, SeededFaults};
use txn::MemoryTxn;

/// Runs of one job before its conflicts are reported.
const MAX_RUNS: u32 = 100;

/// A record and the number of the commit that wrote it.
#[derive(Clone, Debug)]
struct Versioned {
    record: Record,
    version: u64,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Key, Versioned>,
    commits: u64,
    last_acl: u32,
    last_line: u64,
    /// What the records changed since the last barrier were before, for [`MemoryEngine::crash`].
    undo: BTreeMap<Key, Option<Versioned>>,
}

impl State {
    /// Stores a record under the number of a new commit, or removes it.
    fn set(&mut self, key: Key, record: Option<Record>) {
        let version = self.commits;
        let before = match record {
            Some(record) => self.records.insert(key.clone(), Versioned { record, version }),
            None => self.records.remove(&key),
        };
        self.undo.entry(key).or_insert(before);
    }
}

/// The in-process engine; clients of one volume share one instance.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    state: Mutex<State>,
    fault: Mutex<Option<Box<dyn CommitFault>>>,
    /// Who hears of changes; they are the same for all clients.
    watchers: Mutex<Vec<ChangeSender>>,
}

impl MemoryEngine {
    /// An empty engine.
    pub fn new() -> MemoryEngine {
        MemoryEngine::default()
    }

    /// Asks `fault` around every commit from now on; `None` ends that.
    pub fn set_fault(&self, fault: Option<Box<dyn CommitFault>>) {
        *self.fault.lock() = fault;
    }

    /// Loses every commit since the last [`Engine::make_durable`], as a power cut may.
    pub fn crash(&self) {
        let mut state = self.state.lock();
        state.commits += 1;
        for (key, before) in std::mem::take(&mut state.undo) {
            match before {
                Some(before) => state.records.insert(key, before),
                None => state.records.remove(&key),
            };
        }
    }

    /// Lets everybody who hears of changes miss them from now on, as a connection that breaks does.
    pub fn lose_watchers(&self) {
        for watcher in &*self.watchers.lock() {
            watcher.lose();
        }
    }

    /// Ends what [`MemoryEngine::lose_watchers`] began.
    pub fn resume_watchers(&self) {
        for watcher in &*self.watchers.lock() {
            watcher.resume();
        }
    }

    /// Tells of nodes that a commit changed.
    fn tell(&self, nodes: &[Ino]) {
        let mut watchers = self.watchers.lock();
        watchers.retain(|watcher| !watcher.is_unwanted());
        for watcher in watchers.iter().filter(|watcher| watcher.is_complete()) {
            watcher.note(nodes.iter().copied());
        }
    }

    fn record(&self, key: &Key) -> Option<Record> {
        self.state
            .lock()
            .records
            .get(key)
            .map(|found| found.record.clone())
    }
}

#[async_trait]
impl Read for MemoryEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let state = self.state.lock();
        Ok(keys
            .iter()
            .map(|key| state.records.get(key).map(|found| found.record.clone()))
            .collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let state = self.state.lock();
        let records = state
            .records
            .range(scan::bounds(range))
            .map(|(key, found)| (key, &found.record));
        Ok(scan::page(range, after, limit, records))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let page = self
            .survey(&Scan::Edges(directory), after.as_ref(), limit)
            .await?;
        scan::directory_entries(page, attributes, |ino| self.record(&Key::Node(ino)))
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let state = self.state.lock();
        Ok(scan::parents(
            ino,
            state.records.iter().map(|(key, found)| (key, &found.record)),
        ))
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    fn location(&self) -> String {
        "memory://".to_owned()
    }

    fn durability(&self) -> Durability {
        Durability::AfterBarrier
    }

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool> {
        Ok(self.state.lock().records.is_empty())
    }

    async fn execute(&self, mut job: Job) -> Result<()> {
        for _ in 0..MAX_RUNS {
            let mut txn = MemoryTxn::new(self);
            match (job.body)(&mut txn).await {
                Err(error) if error.kind() == ErrorKind::Conflict => continue,
                other => other?,
            }
            let injected = self
                .fault
                .lock()
                .as_ref()
                .map_or(Ok(()), |fault| fault.before_commit(job.verb));
            let committed = match injected {
                Ok(()) => txn.commit()?,
                Err(error) if error.kind() == ErrorKind::Conflict => false,
                Err(error) => return Err(error),
            };
            if !committed {
                // Lets whoever won finish before the next try.
                tokio::task::yield_now().await;
                continue;
            }
            return self
                .fault
                .lock()
                .as_ref()
                .map_or(Ok(()), |fault| fault.after_commit(job.verb));
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("{}: {MAX_RUNS} runs met a conflict each", job.verb),
        ))
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let mut state = self.state.lock();
        let key = Key::Counter(counter);
        let value = match state.records.get(&key) {
            Some(Versioned {
                record: Record::Counter(value),
                ..
            }) => *value,
            _ => counter.initial(),
        };
        let record = Record::Counter(value.saturating_add(batch.cast_signed()));
        state.commits += 1;
        state.set(key, Some(record));
        Ok(value.cast_unsigned() + u64::from(!counter.is_next_free()))
    }

    async fn make_durable(&self) -> Result<()> {
        self.state.lock().undo.clear();
        Ok(())
    }

    async fn watch(&self) -> Result<Changes> {
        let (sender, changes) = change_channel();
        sender.resume();
        self.watchers.lock().push(sender);
        Ok(changes)
    }

    async fn wipe(&self) -> Result<()> {
        *self.state.lock() = State::default();
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
