//! When rounds run: soon after a change, and from time to time in any case.

use std::time::Duration;

use async_trait::async_trait;
use moorage_model::Result;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::guard::Consent;
use super::round::{Outcome, Pair};

/// When rounds run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Time without a change after which a round begins: whoever writes several files has finished then.
    pub quiet: Duration,
    /// Longest time for which changes keep a round from beginning.
    pub patience: Duration,
    /// Between the end of a round and one that nothing asked for: changes of other computers, and those that no watcher
    /// tells of.
    pub full_scan: Duration,
    /// Before a round is tried again that failed.
    pub retry: Duration,
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule {
            quiet: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            full_scan: Duration::from_secs(300),
            retry: Duration::from_secs(30),
        }
    }
}

/// Tells of changes.
#[async_trait]
pub trait Trigger: Send {
    /// Returns when something changed since the last call.
    ///
    /// # Cancel safety
    /// Safe: no change is missed.
    async fn changed(&mut self);
}

/// Runs rounds for ever: at once, after changes, and as the schedule says. `told` hears how each ended, and tells what
/// the person agrees to, which the next round is run with at once; without consent it waits for a change.
///
/// # Cancel safety
/// Safe.
pub async fn keep_in_sync(
    pair: &Pair,
    trigger: &mut dyn Trigger,
    schedule: Schedule,
    mut told: impl FnMut(&Result<Outcome>) -> Consent + Send,
) {
    let mut consent = Consent::None;
    loop {
        let outcome = pair.round(consent).await;
        consent = told(&outcome);
        if consent != Consent::None {
            continue;
        }
        let pause = match &outcome {
            Ok(Outcome::Done(report)) if report.is_complete() => schedule.full_scan,
            Ok(Outcome::NeedsConfirmation(_)) => schedule.full_scan,
            // What changed meanwhile, or failed.
            Ok(Outcome::Done(_)) | Err(_) => schedule.retry,
        };
        wait(trigger, schedule, pause).await;
    }
}

/// Returns after `pause`, or when changes have come to rest.
async fn wait(trigger: &mut dyn Trigger, schedule: Schedule, pause: Duration) {
    let end = Instant::now() + pause;
    if timeout_at(end, trigger.changed()).await.is_err() {
        return;
    }
    let latest = Instant::now() + schedule.patience;
    loop {
        let rest = (Instant::now() + schedule.quiet).min(latest);
        tokio::select! {
            () = sleep_until(rest) => return,
            () = trigger.changed() => {}
        }
    }
}
