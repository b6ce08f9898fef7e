//! Bandwidth limits.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

/// Time that unused bandwidth may be saved up for.
const BURST: Duration = Duration::from_millis(200);

/// Spreads bytes over time: each caller reserves the next free span and sleeps until it begins.
#[derive(Debug)]
pub struct Rate {
    span: Mutex<Span>,
    /// The limit in force is another one: spans reserved under the old one are void.
    changed: Notify,
    runtime: Handle,
}

#[derive(Debug)]
struct Span {
    /// Bytes per second; 0 = unlimited.
    own: u64,
    /// Part of a limit over several mounts, in bytes per second; 0 = unlimited.
    share: u64,
    free_at: Instant,
}

impl Span {
    /// What is in force: the tighter of both; 0 = unlimited.
    fn limit(&self) -> u64 {
        match (self.own, self.share) {
            (limit, 0) | (0, limit) => limit,
            (own, share) => own.min(share),
        }
    }

    /// Takes the next free span, which begins at the answer; `None` when that is now.
    fn reserve(&mut self, bytes: usize) -> Option<Instant> {
        let limit = self.limit();
        if limit == 0 {
            return None;
        }
        let now = Instant::now();
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let start = self.free_at.max(earliest);
        self.free_at = start + Duration::from_secs_f64(bytes as f64 / limit as f64);
        (start > now).then_some(start)
    }
}

impl Rate {
    /// A limit in bytes per second, 0 for none. Waits take place in `runtime`.
    pub fn new(limit: u64, runtime: Handle) -> Rate {
        Rate {
            span: Mutex::new(Span {
                own: limit,
                share: 0,
                free_at: Instant::now(),
            }),
            changed: Notify::new(),
            runtime,
        }
    }

    pub(crate) fn unlimited(&self) -> bool {
        self.span.lock().limit() == 0
    }

    /// Puts another limit in force at once, also for those that wait.
    pub(crate) fn set(&self, limit: u64) {
        self.change(|span| span.own = limit);
    }

    /// Puts another share of a limit over several mounts in force at once, also for those that wait. 0 for none.
    pub(crate) fn set_share(&self, share: u64) {
        self.change(|span| span.share = share);
    }

    fn change(&self, change: impl FnOnce(&mut Span)) {
        {
            let mut span = self.span.lock();
            let before = span.limit();
            change(&mut span);
            if span.limit() == before {
                return;
            }
            span.free_at = Instant::now();
        }
        self.changed.notify_waiters();
    }

    /// Waits until these bytes may pass.
    pub async fn pass(&self, bytes: usize) {
        loop {
            // Made before the span is reserved, so that it misses no change after that.
            let changed = self.changed.notified();
            let Some(start) = self.span.lock().reserve(bytes) else {
                return;
            };
            tokio::select! {
                () = self.sleep_until(start) => return,
                () = changed => {}
            }
        }
    }

    fn sleep_until(&self, time: Instant) -> Sleep {
        let _inside = self.runtime.enter();
        tokio::time::sleep_until(time)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_at_the_limit_however_many_callers_there_are() {
        let rate = Rate::new(1_000_000, Handle::current());
        let start = Instant::now();
        let callers = (0..10).map(|_| async {
            for _ in 0..5 {
                rate.pass(10_000).await;
            }
        });
        futures_util::future::join_all(callers).await;
        // 500,000 bytes: the saved-up time and the last span, which nobody waits for, come off.
        let least = Duration::from_millis(500) - BURST - Duration::from_millis(20);
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let rate = Rate::new(0, Handle::current());
        let pass = pin!(rate.pass(usize::MAX));
        assert!(pass.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_under_a_tight_limit_passes_once_it_is_lifted() {
        let rate = Rate::new(1, Handle::current());
        rate.pass(1_000_000).await;
        let start = Instant::now();
        let wait = async {
            rate.pass(1).await;
            rate.pass(1).await;
        };
        let lift = async { rate.set(0) };
        tokio::join!(wait, lift);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[test]
    fn the_tighter_of_a_limit_and_a_share_is_in_force() {
        let limit = |own, share| {
            let free_at = Instant::now();
            Span { own, share, free_at }.limit()
        };
        assert_eq!((limit(0, 0), limit(7, 0), limit(0, 7)), (0, 7, 7));
        assert_eq!((limit(3, 7), limit(7, 3)), (3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_holds_beside_a_limit_that_changes() {
        let rate = Rate::new(1_000_000, Handle::current());
        rate.set_share(1_000);
        rate.set(0);
        let start = Instant::now();
        for _ in 0..3 {
            rate.pass(1_000).await;
        }
        assert!(
            start.elapsed() >= Duration::from_secs(2) - BURST,
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_tighter_limit_holds_from_the_next_bytes_on() {
        let rate = Rate::new(0, Handle::current());
        rate.pass(1_000_000).await;
        rate.set(1_000);
        let start = Instant::now();
        for _ in 0..3 {
            rate.pass(1_000).await;
        }
        assert!(
            start.elapsed() >= Duration::from_secs(2) - BURST,
            "{:?}",
            start.elapsed()
        );
    }
}
