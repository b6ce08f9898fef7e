//! What a client hears of changes.

use tokio::sync::watch;

use crate::message::{Changed, Revision, Topic};

/// What changed at the agent, since the subscription.
#[derive(Debug)]
pub struct Changes {
    changed: watch::Receiver<Option<Changed>>,
    told: Revision,
}

impl Changes {
    /// What `changed` holds after the revision of the subscription.
    pub(super) fn after(revision: Revision, changed: watch::Receiver<Option<Changed>>) -> Changes {
        Changes {
            changed,
            told: revision,
        }
    }

    /// What to ask for again; [`Topic::Other`] is everything, as when events were missed. `None` when the connection ended.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn next(&mut self) -> Option<Vec<Topic>> {
        loop {
            self.changed.changed().await.ok()?;
            let Some(changed) = self.changed.borrow_and_update().clone() else {
                continue;
            };
            if changed.revision <= self.told {
                continue;
            }
            let missed = changed.previous > self.told;
            self.told = changed.revision;
            return Some(if missed {
                vec![Topic::Other]
            } else {
                changed.topics
            });
        }
    }
}
