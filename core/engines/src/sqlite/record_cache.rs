//! Nodes and entries that this client read or wrote last, for as long as nobody else changes the database.

use std::collections::HashMap;

use moorage_model::{Attr, Entry, Ino, Name};
use parking_lot::{Mutex, MutexGuard};
use quick_cache::unsync::Cache;

use super::log_index::{LogIndex, LogState};

/// Records that are remembered of each kind: what a mount works on, in about 4 MiB.
const RECORDS: usize = 16 << 10;

/// Place of an entry: its directory and its name.
type Place = (Ino, Name);
/// An entry and the node it points to.
type Child = (Entry, Option<Attr>);

/// What a transaction stored, or removed.
#[derive(Debug, Default)]
pub(super) struct RecordChanges {
    /// `None` for a node that is gone, and for one whose row does not hold all of it.
    pub(super) nodes: HashMap<Ino, Option<Attr>>,
    /// `None` for an entry that is gone.
    pub(super) entries: HashMap<Place, Option<Entry>>,
}

impl RecordChanges {
    /// Adds what a later job changed.
    pub(super) fn extend(&mut self, later: RecordChanges) {
        self.nodes.extend(later.nodes);
        self.entries.extend(later.entries);
    }
}

/// Records as the database holds them now.
///
/// They are exact and not a matter of time: each look compares the state of the log, which every commit of every program
/// changes, with the one that they were read at. Commits of this client carry what they changed, those of others void
/// everything. A look costs one short lock and no system call, a read of the row two system calls and a statement.
pub(super) struct RecordCache(Mutex<Records>);

struct Records {
    /// `None` before the database was opened for writing and where it has no log.
    index: Option<LogIndex>,
    /// State of the log at which the records are true.
    valid_at: Option<LogState>,
    /// Whether a transaction of this client is open: the state may be its own already, before its changes are known.
    changing: bool,
    nodes: Cache<Ino, Attr>,
    /// Names that are free too: most new names are asked for before they are taken.
    entries: Cache<Place, Option<Entry>>,
}

impl std::fmt::Debug for RecordCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordCache").finish_non_exhaustive()
    }
}

/// Answer of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Look<T> {
    /// The record now.
    Known(T),
    /// To be read. What is read can be remembered with this state.
    Unknown(Option<LogState>),
}

impl RecordCache {
    pub(super) fn new() -> RecordCache {
        RecordCache(Mutex::new(Records {
            index: None,
            valid_at: None,
            changing: false,
            nodes: Cache::new(RECORDS),
            entries: Cache::new(RECORDS),
        }))
    }

    /// Begins with the log of this database.
    pub(super) fn attach(&self, index: Option<LogIndex>) {
        let mut records = self.0.lock();
        records.forget();
        records.index = index;
    }

    /// Has to come before the connection of the log is closed.
    pub(super) fn detach(&self) {
        self.attach(None);
    }

    /// Attributes of a node, outside of the writer's transaction.
    pub(super) fn node(&self, ino: Ino) -> Look<Attr> {
        self.0.lock().look(|records| records.nodes.get(&ino).cloned())
    }

    /// Entry and attributes of its node, outside of the writer's transaction.
    pub(super) fn child(&self, parent: Ino, name: &Name) -> Look<Option<Child>> {
        self.0
            .lock()
            .look(|records| records.child(&(parent, name.clone())))
    }

    /// Notes a node that was read after a look said [`Look::Unknown`] with this state, unless the database has changed.
    pub(super) fn remember_node(&self, state: Option<LogState>, ino: Ino, attr: &Attr) {
        let mut records = self.0.lock();
        if state.is_some() && records.current() == state {
            records.nodes.insert(ino, attr.clone());
        }
    }

    /// As [`RecordCache::remember_node`], for what an entry was read as.
    pub(super) fn remember_child(
        &self,
        state: Option<LogState>,
        parent: Ino,
        name: &Name,
        child: Option<&Child>,
    ) {
        let mut records = self.0.lock();
        if state.is_some() && records.current() == state {
            records.insert_child((parent, name.clone()), child);
        }
    }

    /// The writer has begun its transaction, and nobody else can change the database until it ends: the records as they
    /// are before it.
    pub(super) fn begin(&self) -> Before<'_> {
        let mut records = self.0.lock();
        // A body that panicked has not said that its transaction is over.
        records.changing = false;
        let state = records.current();
        records.changing = true;
        Before { cache: self, state }
    }
}

/// The records before the writer's transaction, which are true for what it has not changed itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'c> {
    cache: &'c RecordCache,
    state: Option<LogState>,
}

impl Before<'_> {
    /// Attributes of a node.
    pub(super) fn node(&self, ino: Ino) -> Option<Attr> {
        self.records()?.nodes.get(&ino).cloned()
    }

    /// An entry, or that there is none.
    pub(super) fn entry(&self, place: &Place) -> Option<Option<Entry>> {
        self.records()?.entries.get(place).copied()
    }

    /// Notes a node that was read.
    pub(super) fn remember_node(&self, ino: Ino, attr: &Attr) {
        if let Some(mut records) = self.records() {
            records.nodes.insert(ino, attr.clone());
        }
    }

    /// Notes an entry that was read, or that there is none.
    pub(super) fn remember_entry(&self, place: Place, entry: Option<Entry>) {
        if let Some(mut records) = self.records() {
            records.entries.insert(place, entry);
        }
    }

    /// None where the state of the log can not be told.
    fn records(&self) -> Option<MutexGuard<'_, Records>> {
        let state = self.state?;
        let records = self.cache.0.lock();
        (records.valid_at == Some(state)).then_some(records)
    }

    /// The transaction has ended without a change.
    pub(super) fn rolled_back(self) {
        self.cache.0.lock().changing = false;
    }

    /// The transaction was committed with these changes.
    pub(super) fn committed(self, changes: RecordChanges) {
        let mut records = self.cache.0.lock();
        records.changing = false;
        let now = records.index.as_ref().and_then(LogIndex::state);
        let next = match (self.state, now) {
            (Some(before), Some(now)) if records.valid_at == Some(before) => now.is_next_of(&before),
            _ => false,
        };
        if next {
            records.valid_at = now;
            for (ino, attr) in changes.nodes {
                match attr {
                    Some(attr) => records.nodes.insert(ino, attr),
                    None => drop(records.nodes.remove(&ino)),
                }
            }
            for (place, entry) in changes.entries {
                records.entries.insert(place, entry);
            }
        } else if now.is_none() || now != self.state {
            // Another program came right behind. Without a change of the state nothing was written at all.
            records.forget();
        }
    }
}

impl Records {
    /// The state of the log, when the records are true at it.
    fn current(&mut self) -> Option<LogState> {
        let state = self.index.as_ref()?.state()?;
        if self.valid_at != Some(state) {
            if self.changing {
                return None;
            }
            self.forget();
            self.valid_at = Some(state);
        }
        Some(state)
    }

    fn look<T>(&mut self, find: impl FnOnce(&Records) -> Option<T>) -> Look<T> {
        let state = self.current();
        let found = if state.is_some() { find(self) } else { None };
        found.map_or(Look::Unknown(state), Look::Known)
    }

    /// An entry and its node, when both are known.
    fn child(&self, place: &Place) -> Option<Option<Child>> {
        match self.entries.get(place)? {
            None => Some(None),
            Some(entry) => {
                let attr = self.nodes.get(&entry.ino)?;
                Some(Some((*entry, Some(attr.clone()))))
            }
        }
    }

    fn insert_child(&mut self, place: Place, child: Option<&Child>) {
        self.entries.insert(place, child.map(|(entry, _)| *entry));
        if let Some((entry, Some(attr))) = child {
            self.nodes.insert(entry.ino, attr.clone());
        }
    }

    fn forget(&mut self) {
        self.valid_at = None;
        if !self.nodes.is_empty() {
            self.nodes.clear();
        }
        if !self.entries.is_empty() {
            self.entries.clear();
        }
    }
}
