//! Waiting for a lock: polls for the locks of other clients, a wake-up for those of this one.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Ino, LockOwner, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::attempt::Outcome;
use super::deadlock::WaitGraph;
use super::left::LeftLocks;
use super::turn::Turns;

/// Pause before the second try. The first holders to go are those of a short critical section.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Longest pause between two tries: what a lock that another client released may stay unused.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);
/// Requests on one inode that poll at that pace; when more wait, each of them polls less often, so that the engine is
/// not asked more often by many than by so few.
const FEW_REQUESTS: usize = 8;
/// Longest pause however many wait.
const CROWD_PAUSE: Duration = Duration::from_secs(2);

/// The lock requests of this client that are under way.
#[derive(Debug, Default)]
pub(crate) struct LockWaits {
    waits: Mutex<Waits>,
    turns: Turns,
    left: LeftLocks,
}

#[derive(Debug, Default)]
struct Waits {
    inodes: HashMap<Ino, Waited>,
    graph: WaitGraph,
    last_request: u64,
}

/// An inode that somebody waits for.
#[derive(Debug, Default)]
struct Waited {
    requests: usize,
    released: Arc<Notify>,
    /// Counts the releases, so that who was in the way before one is not taken for being there after it.
    releases: u64,
}

impl LockWaits {
    /// A lock of this client on the inode was released or weakened: wakes who waits for it.
    pub(super) fn released(&self, ino: Ino) {
        let mut waits = self.waits.lock();
        if let Some(waited) = waits.inodes.get_mut(&ino) {
            waited.releases += 1;
            waited.released.notify_waiters();
            waits.graph.forget(ino);
        }
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(super) fn left(&self) -> &LeftLocks {
        &self.left
    }

    fn enter(&self, ino: Ino) -> Entered<'_> {
        let mut waits = self.waits.lock();
        waits.last_request += 1;
        let request = waits.last_request;
        let waited = waits.inodes.entry(ino).or_default();
        waited.requests += 1;
        let released = Arc::clone(&waited.released);
        Entered {
            waits: self,
            ino,
            request,
            released,
        }
    }

    /// Number of requests that wait.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.waits
            .lock()
            .inodes
            .values()
            .map(|waited| waited.requests)
            .sum()
    }
}

/// A request that waits; leaves when dropped.
struct Entered<'w> {
    waits: &'w LockWaits,
    ino: Ino,
    request: u64,
    released: Arc<Notify>,
}

impl Entered<'_> {
    fn releases(&self) -> u64 {
        let waits = self.waits.waits.lock();
        waits.inodes.get(&self.ino).map_or(0, |waited| waited.releases)
    }

    /// The pause for this request when `pause` is right for a few.
    fn shared(&self, pause: Duration) -> Duration {
        let waits = self.waits.waits.lock();
        let requests = waits.inodes.get(&self.ino).map_or(1, |waited| waited.requests);
        let crowds = u32::try_from(requests.div_ceil(FEW_REQUESTS)).unwrap_or(u32::MAX);
        pause.saturating_mul(crowds).min(CROWD_PAUSE)
    }

    /// Notes who is in the way, unless a lock was released since `releases` was read.
    fn note_blockers(&self, owner: LockOwner, blockers: Vec<LockOwner>, releases: u64) -> Result<()> {
        let mut waits = self.waits.waits.lock();
        let now = waits.inodes.get(&self.ino).map_or(0, |waited| waited.releases);
        if now != releases || waits.graph.wait(self.request, owner, self.ino, blockers) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Deadlock,
            format!("the holder of a lock on inode {} waits for this owner", self.ino),
        ))
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut waits = self.waits.waits.lock();
        waits.graph.end(self.request);
        if let Some(waited) = waits.inodes.get_mut(&self.ino) {
            waited.requests -= 1;
            if waited.requests == 0 {
                waits.inodes.remove(&self.ino);
            }
        }
    }
}

/// Tries until granted. `Blocked` lists the owners of this client that are in the way; others are polled for, with
/// `timer`s that may be polled on any thread.
///
/// # Errors
/// What a try answers; `Deadlock` when a blocker waits for `owner`; `WouldBlock` when there is no timer to wait with.
pub(super) async fn until_granted<Undo, Try, Timer>(
    waits: &LockWaits,
    timer: impl Fn(Duration) -> Option<Timer>,
    (ino, owner): (Ino, LockOwner),
    mut attempt: impl FnMut() -> Result<Try>,
) -> Result<()>
where
    Try: Future<Output = Result<Outcome<Undo, LockOwner>>>,
    Timer: Future<Output = ()>,
{
    let entered = waits.enter(ino);
    let mut pause = FIRST_PAUSE;
    loop {
        let releases = entered.releases();
        let released = entered.released.notified();
        tokio::pin!(released);
        // From here on no release is missed.
        released.as_mut().enable();
        let blockers = match attempt()?.await {
            Ok(Outcome::Granted(_)) => return Ok(()),
            Ok(Outcome::Blocked(blockers)) => blockers,
            // Many wait for the same lock, and the engine gave up on this try.
            Err(error) if error.kind() == ErrorKind::Conflict => Vec::new(),
            Err(error) => return Err(error),
        };
        entered.note_blockers(owner, blockers, releases)?;
        let jittered = entered.shared(pause).mul_f64(rand::random_range(0.75..1.25));
        let timer = timer(jittered).ok_or(ErrorKind::WouldBlock)?;
        if either(timer, released).await {
            pause = (pause * 2).min(LONGEST_PAUSE);
        } else {
            pause = FIRST_PAUSE;
        }
    }
}

/// Whether `left` ended before `right`.
async fn either(left: impl Future, right: impl Future) -> bool {
    tokio::pin!(left, right);
    match futures_util::future::select(left, right).await {
        futures_util::future::Either::Left(_) => true,
        futures_util::future::Either::Right(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::{Pending, Ready, pending, ready};

    use futures_util::FutureExt as _;

    use super::*;

    const FILE: Ino = Ino(7);
    const OWNER: LockOwner = LockOwner(1);

    type Answer = Ready<Result<Outcome<(), LockOwner>>>;

    /// Answers `blocked` tries with "blocked by owner 2" and grants the next one.
    fn granting_after(blocked: usize) -> impl FnMut() -> Result<Answer> {
        let mut tries = 0;
        move || {
            tries += 1;
            Ok(ready(Ok(if tries <= blocked {
                Outcome::Blocked(vec![LockOwner(2)])
            } else {
                Outcome::Granted(())
            })))
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the signature of a client's timers")]
    fn never(_: Duration) -> Option<Pending<()>> {
        Some(pending())
    }

    #[test]
    fn a_dropped_wait_leaves_nothing_behind() {
        let waits = LockWaits::default();
        let mut waiting = Box::pin(until_granted(&waits, never, (FILE, OWNER), granting_after(9)));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(waits.len(), 1);
        drop(waiting);
        assert!(waits.waits.lock().inodes.is_empty());
        assert!(waits.waits.lock().graph.is_empty());
    }

    #[test]
    fn a_release_wakes_without_a_poll_being_due() {
        let waits = LockWaits::default();
        let mut waiting = Box::pin(until_granted(&waits, never, (FILE, OWNER), granting_after(1)));
        assert!(waiting.as_mut().now_or_never().is_none());
        waits.released(Ino(8));
        assert!(waiting.as_mut().now_or_never().is_none());
        waits.released(FILE);
        waiting.now_or_never().unwrap().unwrap();
    }

    #[test]
    fn without_a_release_it_polls_with_pauses_that_grow_to_a_bound() {
        let waits = LockWaits::default();
        let pauses = RefCell::new(Vec::new());
        let timer = |pause| {
            pauses.borrow_mut().push(pause);
            Some(ready(()))
        };
        until_granted(&waits, timer, (FILE, OWNER), granting_after(20))
            .now_or_never()
            .unwrap()
            .unwrap();
        let pauses = pauses.into_inner();
        assert_eq!(pauses.len(), 20);
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4));
        assert!(pauses.first().is_some_and(|pause| *pause <= FIRST_PAUSE * 5 / 4));
        assert!(pauses.last().is_some_and(|pause| *pause >= LONGEST_PAUSE * 3 / 4));
    }

    #[test]
    fn many_that_wait_for_one_inode_poll_less_often_each() {
        let waits = LockWaits::default();
        let mut crowd: Vec<_> = (100..180)
            .map(|owner| {
                let waiting = until_granted(&waits, never, (FILE, LockOwner(owner)), granting_after(9));
                let mut waiting = Box::pin(waiting);
                assert!(waiting.as_mut().now_or_never().is_none());
                waiting
            })
            .collect();
        let entered = waits.enter(FILE);
        assert_eq!(entered.shared(LONGEST_PAUSE), LONGEST_PAUSE * 11);
        crowd.clear();
        assert_eq!(entered.shared(LONGEST_PAUSE), LONGEST_PAUSE);
    }

    #[test]
    fn owners_that_wait_for_each_other_are_a_deadlock_for_the_last_of_them() {
        let waits = LockWaits::default();
        let mut first = Box::pin(until_granted(&waits, never, (FILE, OWNER), granting_after(1)));
        assert!(first.as_mut().now_or_never().is_none());
        let blocked_by_first = || Ok(ready(Ok(Outcome::<(), _>::Blocked(vec![OWNER]))));
        let second = until_granted(&waits, never, (Ino(8), LockOwner(2)), blocked_by_first);
        let error = second.now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert_eq!(waits.len(), 1);
    }
}
