//! Waits between tries.

use std::time::{Duration, Instant};

use rand::RngExt as _;

use super::address::Address;

/// Longest wait between two tries, so that a server that is back is noticed.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// How long a request is repeated.
pub(super) struct Patience {
    deadline: Instant,
    wait: Duration,
    longest: Duration,
}

impl Patience {
    /// For a request that may take as many times the time limit of one answer.
    pub(super) fn new(address: &Address, time_limits: u32) -> Patience {
        let options = &address.options;
        Patience {
            deadline: Instant::now() + options.read_timeout * time_limits,
            wait: options.min_backoff,
            longest: options.max_backoff.min(MAX_PAUSE).max(options.min_backoff),
        }
    }

    /// Waits before the next try, with jitter; `false` when there is to be none.
    pub(super) async fn pause(&mut self) -> bool {
        if Instant::now() >= self.deadline {
            return false;
        }
        let wait = rand::rng().random_range(self.wait / 2..=self.wait);
        tokio::time::sleep(wait).await;
        self.wait = (self.wait * 2).min(self.longest);
        true
    }
}
