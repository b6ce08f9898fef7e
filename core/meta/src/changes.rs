//! What an engine tells of changes that other clients made.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_model::{Attr, Ino, Name, Result};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::{Key, Meta, TxnExt as _};

/// Changed nodes that wait one by one to be looked at, a megabyte of them. Beyond that everything counts as changed: a
/// client that far behind has little left that is worth keeping.
const MAX_WAITING_NODES: usize = 65_536;

/// What may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Attributes, content or names of these nodes, each once and in no order.
    Nodes(Vec<Ino>),
    /// Anything: changes were missed.
    Everything,
}

#[derive(Debug, Default)]
struct Waiting {
    nodes: HashSet<Ino>,
    everything: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    told: Notify,
    complete: AtomicBool,
}

/// Where an engine puts what it hears. Nothing here waits.
#[derive(Clone, Debug)]
pub struct ChangeSender {
    shared: Arc<Shared>,
    wanted: mpsc::Sender<Infallible>,
}

/// The changes of a volume, told by its engine until this is dropped.
///
/// A change is told after it can be read. Changes of the client itself may be among them. Of an entry that leads
/// elsewhere or is gone, the node that it led to is told, since every such change also changes that node; a new entry is
/// told by the node that it leads to, and nothing tells those who remember that it was absent.
#[derive(Debug)]
pub struct Changes {
    shared: Arc<Shared>,
    _wanted: mpsc::Receiver<Infallible>,
}

/// Both ends. Changes count as missed until the engine calls [`ChangeSender::resume`].
pub fn change_channel() -> (ChangeSender, Changes) {
    let shared = Arc::new(Shared::default());
    let (wanted, receiver) = mpsc::channel(1);
    let sender = ChangeSender {
        shared: Arc::clone(&shared),
        wanted,
    };
    let changes = Changes {
        shared,
        _wanted: receiver,
    };
    (sender, changes)
}

impl ChangeSender {
    /// Nodes were changed.
    pub fn note(&self, nodes: impl IntoIterator<Item = Ino>) {
        {
            let mut waiting = self.shared.waiting.lock();
            if !waiting.everything {
                waiting.nodes.extend(nodes);
                if waiting.nodes.len() > MAX_WAITING_NODES {
                    waiting.nodes = HashSet::new();
                    waiting.everything = true;
                }
            }
        }
        self.shared.told.notify_one();
    }

    /// Anything may have been changed.
    pub fn note_everything(&self) {
        {
            let mut waiting = self.shared.waiting.lock();
            waiting.nodes = HashSet::new();
            waiting.everything = true;
        }
        self.shared.told.notify_one();
    }

    /// From now on no change is missed.
    pub fn resume(&self) {
        self.shared.complete.store(true, Ordering::Release);
        self.note_everything();
    }

    /// From now on changes may be missed.
    pub fn lose(&self) {
        if self.shared.complete.swap(false, Ordering::AcqRel) {
            self.note_everything();
        }
    }

    /// Whether no change is missed now.
    pub fn is_complete(&self) -> bool {
        self.shared.complete.load(Ordering::Acquire)
    }

    /// Whether nobody listens any more.
    pub fn is_unwanted(&self) -> bool {
        self.wanted.is_closed()
    }

    /// Returns when nobody listens any more.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn unwanted(&self) {
        self.wanted.closed().await;
    }
}

impl Changes {
    /// Whether every change is told now. When this turns, [`Changed::Everything`] is told.
    pub fn are_complete(&self) -> bool {
        self.shared.complete.load(Ordering::Acquire)
    }

    /// Waits until there is something to [`Changes::take`]. One caller at a time.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn told(&self) {
        self.shared.told.notified().await;
    }

    /// Everything told since the last call; `None` when that is nothing.
    pub fn take(&self) -> Option<Changed> {
        let waiting = std::mem::take(&mut *self.shared.waiting.lock());
        if waiting.everything {
            Some(Changed::Everything)
        } else if waiting.nodes.is_empty() {
            None
        } else {
            Some(Changed::Nodes(waiting.nodes.into_iter().collect()))
        }
    }
}

impl Meta {
    /// Begins to hear what other clients change.
    ///
    /// # Errors
    /// `NotSupported` on an engine that tells nothing; what the engine answers.
    pub async fn watch(&self) -> Result<Changes> {
        self.engine.watch().await
    }

    /// What caches need to look at again: attributes of nodes, and where entries lead to, each in the order asked;
    /// `None` for what does not exist. One engine read.
    ///
    /// # Errors
    /// `Corrupt` naming a damaged record.
    pub async fn look_again(
        &self,
        nodes: &[Ino],
        entries: &[(Ino, Name)],
    ) -> Result<(Vec<Option<Attr>>, Vec<Option<Ino>>)> {
        let nodes_asked = nodes.iter().map(|ino| Key::Node(*ino));
        let entries_asked = entries
            .iter()
            .map(|(parent, name)| Key::Edge(*parent, name.clone()));
        let keys: Vec<Key> = nodes_asked.chain(entries_asked).collect();
        let mut found = self.engine.get(&keys).await?;
        let attrs: Result<Vec<Option<Attr>>> = nodes.iter().map(|_| found.node()).collect();
        let attrs = attrs?;
        let targets: Result<Vec<Option<Ino>>> = entries
            .iter()
            .map(|_| Ok(found.edge()?.map(|entry| entry.ino)))
            .collect();
        Ok((attrs, targets?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_that_changes_often_is_told_once() {
        let (sender, changes) = change_channel();
        sender.note([Ino(7), Ino(7)]);
        sender.note([Ino(7)]);
        changes.told().await;
        assert_eq!(changes.take(), Some(Changed::Nodes(vec![Ino(7)])));
        assert_eq!(changes.take(), None);
    }

    #[tokio::test]
    async fn one_that_falls_behind_hears_that_everything_changed() {
        let (sender, changes) = change_channel();
        sender.note((0..=MAX_WAITING_NODES as u64).map(Ino));
        sender.note([Ino(7)]);
        assert_eq!(changes.take(), Some(Changed::Everything));
        assert_eq!(changes.take(), None);
    }

    #[tokio::test]
    async fn losing_and_resuming_each_tell_of_everything_and_losing_twice_tells_nothing_more() {
        let (sender, changes) = change_channel();
        assert!(!changes.are_complete());
        sender.resume();
        assert!(changes.are_complete());
        assert_eq!(changes.take(), Some(Changed::Everything));
        sender.lose();
        assert!(!changes.are_complete());
        assert_eq!(changes.take(), Some(Changed::Everything));
        sender.lose();
        assert_eq!(changes.take(), None);
    }

    #[tokio::test]
    async fn an_engine_learns_that_nobody_listens() {
        let (sender, changes) = change_channel();
        assert!(!sender.is_unwanted());
        drop(changes);
        sender.unwanted().await;
        assert!(sender.is_unwanted());
    }
}
