//! When rounds run: soon after a change, when somebody asks for one, and from time to time in any case.

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

impl Schedule {
    /// How long after a round that ended so the next one runs, when nothing asks for it sooner.
    pub fn pause_after(&self, outcome: &Result<Outcome>) -> Duration {
        match outcome {
            Ok(Outcome::Done(report)) if report.is_complete() => self.full_scan,
            Ok(Outcome::NeedsConfirmation(_)) => self.full_scan,
            // What changed meanwhile, or failed.
            Ok(Outcome::Done(_)) | Err(_) => self.retry,
        }
    }
}

/// Why a round is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something changed: soon.
    Changed,
    /// A person asks for it, or agreed to something: at once.
    Asked(Consent),
}

/// Tells when a round is to run.
#[async_trait]
pub trait Trigger: Send {
    /// Returns when something happened since the last call.
    ///
    /// # Cancel safety
    /// Safe: nothing is missed.
    async fn wake(&mut self) -> Wake;
}

/// What runs rounds of a pair.
#[async_trait]
pub trait Rounds: Send + Sync {
    /// Runs a round, as [`Pair::round`].
    ///
    /// # Errors
    /// As there.
    async fn round(&self, consent: Consent) -> Result<Outcome>;
}

#[async_trait]
impl Rounds for Pair {
    async fn round(&self, consent: Consent) -> Result<Outcome> {
        Pair::round(self, consent).await
    }
}

/// Runs rounds for ever: at once, after changes, when asked to, and as the schedule says. `told` hears how each ended.
///
/// # Cancel safety
/// Safe.
pub async fn keep_in_sync(
    rounds: &dyn Rounds,
    trigger: &mut dyn Trigger,
    schedule: Schedule,
    mut told: impl FnMut(&Result<Outcome>) + Send,
) {
    let mut consent = Consent::None;
    loop {
        let outcome = rounds.round(consent).await;
        told(&outcome);
        consent = wait(trigger, schedule, schedule.pause_after(&outcome)).await;
    }
}

/// Returns after `pause`, when changes have come to rest, or when somebody asks.
async fn wait(trigger: &mut dyn Trigger, schedule: Schedule, pause: Duration) -> Consent {
    let end = Instant::now() + pause;
    match timeout_at(end, trigger.wake()).await {
        Err(_) => return Consent::None,
        Ok(Wake::Asked(consent)) => return consent,
        Ok(Wake::Changed) => {}
    }
    let latest = Instant::now() + schedule.patience;
    loop {
        let rest = (Instant::now() + schedule.quiet).min(latest);
        tokio::select! {
            () = sleep_until(rest) => return Consent::None,
            wake = trigger.wake() => {
                if let Wake::Asked(consent) = wake {
                    return consent;
                }
            }
        }
    }
}
