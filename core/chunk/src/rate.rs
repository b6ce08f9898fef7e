//! Bandwidth limits.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Time that unused bandwidth may be saved up for.
const BURST: Duration = Duration::from_millis(200);

/// Spreads bytes over time: each caller reserves the next free span and sleeps until it begins.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Bytes per second; 0 = unlimited.
    limit: u64,
    free_at: Mutex<Instant>,
}

impl Rate {
    pub(crate) fn new(limit: u64) -> Rate {
        Rate {
            limit,
            free_at: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn unlimited(&self) -> bool {
        self.limit == 0
    }

    /// Waits until these bytes may pass. Must run inside the runtime unless unlimited.
    pub(crate) async fn pass(&self, bytes: usize) {
        if self.unlimited() {
            return;
        }
        let now = Instant::now();
        let start = {
            let mut free_at = self.free_at.lock();
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let start = (*free_at).max(earliest);
            *free_at = start + Duration::from_secs_f64(bytes as f64 / self.limit as f64);
            start
        };
        if start > now {
            tokio::time::sleep_until(start.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_pass_at_the_limit_however_many_callers_there_are() {
        let rate = Rate::new(1_000_000);
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

    #[test]
    fn without_a_limit_nothing_waits() {
        let rate = Rate::new(0);
        let pass = std::pin::pin!(rate.pass(usize::MAX));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(pass.poll(&mut context).is_ready());
    }
}
