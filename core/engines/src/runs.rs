//! How often a job that meets conflicts is run, and the wait before each run.

use std::time::Duration;

use rand::RngExt as _;

/// Runs of one job before its conflicts are reported, as the original tries.
pub(crate) const MAX_RUNS: u32 = 50;
/// Longest wait before another run; it grows by one step per run.
const MAX_WAIT: Duration = Duration::from_millis(40);
/// Step of the wait between runs.
const WAIT_STEP: Duration = Duration::from_millis(1);

/// Waits before the given run of a job, the first being 0.
pub(crate) async fn wait_before(run: u32) {
    if run > 0 {
        let longest = (WAIT_STEP * run).min(MAX_WAIT);
        let wait = rand::rng().random_range(Duration::ZERO..=longest);
        tokio::time::sleep(wait).await;
    }
}
