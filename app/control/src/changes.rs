//! What changed at the agent, as every client is told it: bounded however much happens and however slow a client is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::message::{Changed, Revision, Topic};

/// Most topics that one event names; a client that many volumes changed for asks for all of them.
const MOST_TOPICS: usize = 64;

/// The revision of each topic.
#[derive(Debug)]
pub struct ChangeLog {
    topics: Mutex<HashMap<Topic, Revision>>,
    newest: watch::Sender<Revision>,
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self {
            topics: Mutex::default(),
            newest: watch::Sender::new(Revision(0)),
        }
    }
}

impl ChangeLog {
    /// A topic changed.
    pub fn record(&self, topic: Topic) {
        let mut topics = self.topics();
        let revision = Revision(self.newest.borrow().0 + 1);
        if topic == Topic::Volumes {
            // Whoever asks for all of them asks for each, and one that is gone is not named for ever.
            topics.retain(|topic, _| !is_one_volume(topic));
        }
        topics.insert(topic, revision);
        self.newest.send_replace(revision);
    }

    /// The revision now.
    pub fn revision(&self) -> Revision {
        *self.newest.borrow()
    }

    /// Hears of every revision, or of the last of several.
    pub fn follow(&self) -> watch::Receiver<Revision> {
        self.newest.subscribe()
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        self.newest.receiver_count() > 0
    }

    /// What changed after `earlier`.
    pub fn since(&self, earlier: Revision) -> Changed {
        let topics = self.topics();
        let mut later: Vec<(Revision, Topic)> = topics
            .iter()
            .filter(|(_, revision)| **revision > earlier)
            .map(|(topic, revision)| (*revision, topic.clone()))
            .collect();
        let revision = *self.newest.borrow();
        drop(topics);
        if later.len() > MOST_TOPICS {
            later.retain(|(_, topic)| !is_one_volume(topic) && *topic != Topic::Volumes);
            later.push((revision, Topic::Volumes));
        }
        later.sort_by_key(|(revision, _)| *revision);
        Changed {
            revision,
            previous: earlier,
            topics: later.into_iter().map(|(_, topic)| topic).collect(),
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, Revision>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_one_volume(topic: &Topic) -> bool {
    matches!(
        topic,
        Topic::Volume { .. } | Topic::VolumeHealth { .. } | Topic::VolumeTrash { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::VolumeId;

    fn volume(number: usize) -> Topic {
        Topic::Volume {
            id: VolumeId(number.to_string()),
        }
    }

    #[test]
    fn what_changed_often_is_told_once_and_what_was_told_is_not_told_again() {
        let log = ChangeLog::default();
        for _ in 0..3 {
            log.record(volume(1));
        }
        log.record(Topic::Pause);
        let first = log.since(Revision(0));
        assert_eq!(first.topics, [volume(1), Topic::Pause]);
        assert_eq!((first.previous, first.revision), (Revision(0), Revision(4)));
        log.record(Topic::Settings);
        assert_eq!(log.since(first.revision).topics, [Topic::Settings]);
    }

    #[test]
    fn ten_thousand_changed_volumes_are_one_topic() {
        let log = ChangeLog::default();
        log.record(Topic::Pause);
        for number in 0..10_000 {
            log.record(volume(number));
        }
        assert_eq!(log.since(Revision(0)).topics, [Topic::Pause, Topic::Volumes]);
    }

    #[test]
    fn a_change_of_the_list_stands_for_each_volume_before_it() {
        let log = ChangeLog::default();
        log.record(volume(1));
        log.record(Topic::Volumes);
        log.record(volume(2));
        assert_eq!(log.since(Revision(0)).topics, [Topic::Volumes, volume(2)]);
    }
}
