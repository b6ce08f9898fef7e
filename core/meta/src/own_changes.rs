//! Telling whoever listens what this client itself changes, beside what an engine tells of others.

use moorage_model::Ino;
use parking_lot::RwLock;

use crate::Meta;
use crate::changes::{ChangeSender, Changes, change_channel};

/// Where the changes of this client are told.
#[derive(Debug, Default)]
pub(crate) struct OwnChanges {
    listener: RwLock<Option<ChangeSender>>,
}

impl OwnChanges {
    /// Whether anybody listens. One short lock.
    pub(crate) fn are_wanted(&self) -> bool {
        self.listener
            .read()
            .as_ref()
            .is_some_and(|listener| !listener.is_unwanted())
    }

    pub(crate) fn note(&self, nodes: impl IntoIterator<Item = Ino>) {
        if let Some(listener) = &*self.listener.read() {
            listener.note(nodes);
        }
    }
}

impl Meta {
    /// Begins to hear which nodes this client changes from now on: attributes, entries of a directory (told by the directory)
    /// and content, by verbs, commands and jobs alike, each after it can be read. A later listener takes the place of an
    /// earlier one. While nobody listens, a transaction pays one short lock for this.
    pub fn own_changes(&self) -> Changes {
        let (sender, changes) = change_channel();
        sender.resume();
        *self.own_changes.listener.write() = Some(sender);
        changes
    }
}
