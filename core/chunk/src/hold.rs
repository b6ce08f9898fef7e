//! Holding transfers that nobody waits for: uploads of staged blocks, and what is fetched before it is asked for.

use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::chunk_store::ChunkStore;

/// How often the clock is looked at while a hold lasts: it goes on while the computer sleeps, and may be set.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(10);

/// Transfers that nobody waits for are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Until when; none is until they are released.
    pub until: Option<SystemTime>,
}

impl Hold {
    fn lasts(&self) -> bool {
        self.until.is_none_or(|until| until > SystemTime::now())
    }
}

/// Whether they are held now.
#[derive(Debug)]
pub(crate) struct Holding {
    hold: watch::Sender<Option<Hold>>,
    runtime: Handle,
}

impl Holding {
    /// Waits take place in `runtime`.
    pub(crate) fn new(hold: Option<Hold>, runtime: Handle) -> Holding {
        Holding {
            hold: watch::Sender::new(hold),
            runtime,
        }
    }

    /// The hold, as long as it lasts. One lock.
    pub(crate) fn now(&self) -> Option<Hold> {
        let hold = *self.hold.borrow();
        hold.filter(Hold::lasts)
    }

    fn set(&self, hold: Option<Hold>) {
        self.hold.send_replace(hold);
    }

    /// Returns when there is no hold.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn ends(&self) {
        let mut changes = self.hold.subscribe();
        loop {
            let hold = *changes.borrow_and_update();
            let Some(hold) = hold.filter(Hold::lasts) else {
                return;
            };
            let left = hold.until.map(|until| until.duration_since(SystemTime::now()));
            let clock = async {
                match left {
                    Some(left) => self.sleep(left.unwrap_or_default().min(LOOK_AT_CLOCK)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = clock => {}
            }
        }
    }

    /// Returns when there is a hold.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn begins(&self) {
        let mut changes = self.hold.subscribe();
        let held = changes.wait_for(|hold| hold.as_ref().is_some_and(Hold::lasts));
        if held.await.is_err() {
            // Nobody is left who could begin one.
            std::future::pending::<()>().await;
        }
    }

    fn sleep(&self, period: Duration) -> tokio::time::Sleep {
        let _inside = self.runtime.enter();
        tokio::time::sleep(period)
    }
}

impl ChunkStore {
    /// Holds uploads of staged blocks, and downloads that nobody waits for. Uploads that are under way are broken off and
    /// made again later. What somebody waits for goes on: reads, and writes that can not be staged. A later call takes
    /// the place of an earlier one.
    pub fn hold(&self, hold: Hold) {
        self.holding.set(Some(hold));
    }

    /// Ends a hold at once.
    pub fn release(&self) {
        self.holding.set(None);
    }

    /// The hold, as long as it lasts.
    pub fn held(&self) -> Option<Hold> {
        self.holding.now()
    }

    /// Whether downloads that nobody waits for are held; never for a store on this machine. One lock.
    pub fn is_held(&self) -> bool {
        !self.local && self.holding.now().is_some()
    }

    /// Returns when [`ChunkStore::is_held`] becomes true, at once when it is.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn hold_begins(&self) {
        if self.local {
            return std::future::pending().await;
        }
        self.holding.begins().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hold_ends_by_itself_or_when_it_is_released() {
        let past = SystemTime::now() - Duration::from_secs(1);
        let holding = Holding::new(Some(Hold { until: Some(past) }), Handle::current());
        assert_eq!(holding.now(), None);
        holding.ends().await;
        holding.set(Some(Hold { until: None }));
        holding.begins().await;
        let (ended, ()) = tokio::join!(holding.ends(), async { holding.set(None) });
        assert_eq!((ended, holding.now()), ((), None));
        let soon = SystemTime::now() + Duration::from_millis(20);
        holding.set(Some(Hold { until: Some(soon) }));
        holding.ends().await;
        assert!(SystemTime::now() >= soon);
    }
}
