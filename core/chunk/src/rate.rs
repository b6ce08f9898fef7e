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
