//! Push invalidation: the metadata engine tells which nodes other clients changed, and what this client and the kernel
//! know of them is dropped. Without it, caches are right only because they are short-lived.
//!
//! Three things have to meet. [`HandedOut`] knows what the kernel may have cached, since the kernel drops a name only when
//! it is told which one. [`Recent`] knows which changes came in while a request was under way: its answer may be older
//! than the notice that the kernel got before it. And [`follow::follow_changes`] takes the changes in, looks at what was
//! handed out of them, and has dropped what is different; so the client's own changes, which an engine may tell of
//! too, drop nothing.

mod follow;
mod handed_out;
mod recent;

use std::time::Duration;

use moorage_meta::{Changed, Changes};
use moorage_model::{Attr, Ino, Name};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use follow::follow_changes;
use handed_out::{HandedOut, Known};
pub use recent::Asked;
use recent::Recent;

use crate::Vfs;

/// How long the kernel may keep what it is told while changes may be missed; longer times of the options wait until they
/// are told again. As long as without push invalidation by default.
pub(crate) const UNTOLD_TTL: Duration = Duration::from_secs(1);
/// How long changes are gathered before they are looked at: one read serves all of them. Far below what a person
/// notices, and longer than a busy client takes for some dozen changes of its own.
const GATHERING: Duration = Duration::from_millis(5);

/// State of push invalidation, where the options ask for it.
#[derive(Debug)]
pub(crate) struct Coherence {
    changes: Changes,
    handed_out: Mutex<HandedOut>,
    recent: Recent,
    /// Changes whose notices came before the answers of requests.
    repeated: Mutex<Option<Changed>>,
    repeat: Notify,
}

/// What is to be looked at.
enum Told {
    /// What the engine told.
    New(Changed),
    /// What it told before, and a request was answered since.
    Again(Changed),
}

impl Coherence {
    /// For a client that has told nobody anything yet.
    pub(crate) fn new(changes: Changes) -> Coherence {
        // Nothing was missed: nothing is known.
        changes.take();
        Coherence {
            changes,
            handed_out: Mutex::default(),
            recent: Recent::default(),
            repeated: Mutex::default(),
            repeat: Notify::new(),
        }
    }

    /// Waits for changes, and for those to be repeated. Only new ones are noted as recent: repeating them would
    /// else never end on a busy mount.
    async fn next(&self) -> Told {
        loop {
            tokio::select! {
                () = self.changes.told() => {
                    tokio::time::sleep(GATHERING).await;
                    if let Some(changed) = self.changes.take() {
                        self.recent.note(&changed);
                        return Told::New(changed);
                    }
                }
                () = self.repeat.notified() => {
                    if let Some(changed) = self.repeated.lock().take() {
                        return Told::Again(changed);
                    }
                }
            }
        }
    }

    fn repeat(&self, changed: Changed) {
        {
            let mut repeated = self.repeated.lock();
            *repeated = Some(match (repeated.take(), changed) {
                (None, changed) => changed,
                (Some(Changed::Nodes(mut before)), Changed::Nodes(nodes)) => {
                    before.extend(nodes);
                    before.sort_unstable();
                    before.dedup();
                    Changed::Nodes(before)
                }
                _ => Changed::Everything,
            });
        }
        self.repeat.notify_one();
    }
}

impl Vfs {
    /// To be called before a request whose answer a kernel caches, and to be given to [`Vfs::answered`] after that. One
    /// atomic load.
    pub fn asked(&self) -> Asked {
        match &self.coherence {
            Some(coherence) => coherence.recent.now(),
            None => Asked::NEVER,
        }
    }

    /// The kernel has the answer to a request. What other clients changed while it was under way is looked at once
    /// more: the answer may be older than the change, and came after its notice. One atomic load when there was
    /// nothing.
    pub fn answered(&self, asked: Asked) {
        if let Some(coherence) = &self.coherence
            && let Some(changed) = coherence.recent.since(asked)
        {
            coherence.repeat(changed);
        }
    }

    /// How long something may be cached whose time the options say.
    pub(crate) fn lifetime(&self, asked_for: Duration) -> Duration {
        match &self.coherence {
            Some(coherence) if !coherence.changes.are_complete() => asked_for.min(UNTOLD_TTL),
            _ => asked_for,
        }
    }

    /// Notes that the kernel is told of a stored node, and of a name of it. One short lock where changes are pushed.
    pub(crate) fn note_handed_out(&self, ino: Ino, attr: &Attr, name: Option<(Ino, &Name)>) {
        let Some(coherence) = &self.coherence else { return };
        let forgotten = coherence.handed_out.lock().note(ino, attr, name);
        for (ino, known) in forgotten {
            self.drop_known(ino, &known);
        }
    }

    /// Notes that the kernel moves the name of a node by itself, and with `exchange` another one the other way.
    pub(crate) fn note_renamed(
        &self,
        ino: Ino,
        attr: &Attr,
        from: (Ino, &Name),
        to: (Ino, &Name),
        exchange: bool,
    ) {
        if self.coherence.is_none() {
            return;
        }
        self.note_handed_out(ino, attr, Some(to));
        if exchange {
            // Nobody knows here which node that name leads to now.
            self.drop_entry(from.0, from.1);
        }
    }

    /// Has the kernel drop a node and its names.
    fn drop_known(&self, ino: Ino, known: &Known) {
        self.drop_attributes(ino);
        for (parent, name) in &known.names {
            self.drop_entry(*parent, name);
        }
    }
}
