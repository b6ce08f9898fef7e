//! Which inodes this client holds open, which it is removing, and what has to happen when the last handle closes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use moorage_model::Ino;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What the last close of an inode has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LastClose {
    /// Nothing: the file still has a name.
    #[default]
    Nothing,
    /// It is sustained by this session: turn it into a deleted file (spec 70-semantics section 4, step 2).
    DeleteSustained,
    /// It was deleted while it was being opened: remove its data, whose length is given.
    RemoveData(u64),
}

/// What an open may expect of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Openable {
    /// This client does not take it away.
    Yes,
    /// A removal is under way that found no handle: its end decides.
    AfterRemoval,
    /// Its last handle is closed and it has no name: nobody can find it any more.
    Never,
}

#[derive(Debug, Default)]
struct OpenFile {
    handles: u64,
    last_close: LastClose,
}

#[derive(Debug, Default)]
struct Nodes {
    open: HashMap<Ino, OpenFile>,
    /// Runs of transactions that remove a node because nobody had it open.
    removals: HashMap<Ino, usize>,
    /// Sustained files whose last handle is closed, until they are turned into deleted ones.
    closed: HashSet<Ino>,
}

/// Inodes open in this client with the number of their handles. Every call is one short lock.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    nodes: Mutex<Nodes>,
    removal_ended: Notify,
}

impl OpenFiles {
    /// Counts one more handle. Of [`Openable::AfterRemoval`], the node is asked for after [`OpenFiles::after_removals`].
    pub(crate) fn note_open(&self, ino: Ino) -> Openable {
        let mut nodes = self.nodes.lock();
        if nodes.closed.contains(&ino) {
            return Openable::Never;
        }
        nodes.open.entry(ino).or_default().handles += 1;
        match nodes.removals.contains_key(&ino) {
            true => Openable::AfterRemoval,
            false => Openable::Yes,
        }
    }

    /// Counts one handle less; on the last one says what is to be done.
    pub(crate) fn note_close(&self, ino: Ino) -> LastClose {
        let mut nodes = self.nodes.lock();
        let Some(file) = nodes.open.get_mut(&ino) else {
            return LastClose::Nothing;
        };
        file.handles = file.handles.saturating_sub(1);
        if file.handles > 0 {
            return LastClose::Nothing;
        }
        let work = nodes.open.remove(&ino).unwrap_or_default().last_close;
        if work == LastClose::DeleteSustained {
            nodes.closed.insert(ino);
        }
        work
    }

    /// Notes that a sustained file whose last handle is closed has become a deleted one.
    pub(crate) fn note_ended(&self, ino: Ino) {
        self.nodes.lock().closed.remove(&ino);
    }

    /// Begins the removal of a node; `None` when a handle is open, which then decides between a sustained and a deleted
    /// file. Whoever opens it later waits until the removal is dropped, so that no open succeeds on what is gone a moment
    /// later.
    pub(crate) fn begin_removal(self: &Arc<Self>, ino: Ino) -> Option<NodeRemoval> {
        let mut nodes = self.nodes.lock();
        if nodes.open.contains_key(&ino) {
            return None;
        }
        *nodes.removals.entry(ino).or_default() += 1;
        Some(NodeRemoval {
            files: Arc::clone(self),
            ino,
        })
    }

    /// Waits until no removal of this node is under way.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn after_removals(&self, ino: Ino) {
        loop {
            let ended = self.removal_ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if !self.nodes.lock().removals.contains_key(&ino) {
                return;
            }
            ended.await;
        }
    }

    /// Leaves work to the last close; `false` when no handle is open any more and the caller has to do it.
    pub(crate) fn defer(&self, ino: Ino, work: LastClose) -> bool {
        let mut nodes = self.nodes.lock();
        if let Some(file) = nodes.open.get_mut(&ino) {
            file.last_close = work;
            return true;
        }
        if work == LastClose::DeleteSustained {
            nodes.closed.insert(ino);
        }
        false
    }

    /// Number of inodes that are open.
    pub(crate) fn len(&self) -> usize {
        self.nodes.lock().open.len()
    }
}

/// A removal of a node that nobody has open, by one run of a transaction; part of what the run returns, so that it ends
/// when the run has failed, or when its commit is known.
#[derive(Debug)]
pub(crate) struct NodeRemoval {
    files: Arc<OpenFiles>,
    ino: Ino,
}

impl Drop for NodeRemoval {
    fn drop(&mut self) {
        let mut nodes = self.files.nodes.lock();
        if let Some(runs) = nodes.removals.get_mut(&self.ino) {
            *runs = runs.saturating_sub(1);
            if *runs == 0 {
                nodes.removals.remove(&self.ino);
            }
        }
        drop(nodes);
        self.files.removal_ended.notify_waiters();
    }
}
