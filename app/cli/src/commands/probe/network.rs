//! The way to the server of a store: name, port, certificate, clock.

use std::time::{Duration, SystemTime};

use moorage_chunk::{Endpoint, Greeting};
use moorage_control::check::CheckStep;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_model::{Error, ErrorKind};
use tokio::time::Instant;

use crate::checklist::{Steps, within_deadline};

/// Clocks that differ by more are worth a word: times of files will be wrong.
const NOTABLE_SKEW: Duration = Duration::from_secs(60);
/// Signatures are refused when clocks differ by more (Amazon S3, RequestTimeTooSkewed).
const TOLERATED_SKEW: Duration = Duration::from_secs(15 * 60);
const SET_CLOCK: &str = "Let this computer set its clock from the network.";

/// Goes the way to a server. False when it ends before the server.
pub(super) async fn reach(steps: &mut Steps, endpoint: &Endpoint) -> bool {
    if !endpoint.is_behind_proxy() {
        let Some(addresses) = steps.attempt(CheckStep::Dns, endpoint.resolve()).await else {
            return false;
        };
        let connected = steps.attempt(CheckStep::Tcp, endpoint.connect(&addresses)).await;
        if connected.is_none() {
            return false;
        }
    }
    if !endpoint.is_http() {
        return true;
    }
    let greeting = if endpoint.is_tls() {
        let Some(greeting) = steps.attempt(CheckStep::Tls, endpoint.greet()).await else {
            return false;
        };
        Some(greeting)
    } else {
        // Without a certificate there is nothing to be good or bad here; what does not speak HTTP fails where it is used.
        within_deadline(endpoint.greet()).await.ok()
    };
    if let Some(date) = greeting.and_then(|Greeting { date }| date) {
        compare_clocks(steps, date, SystemTime::now());
    }
    true
}

fn compare_clocks(steps: &mut Steps, theirs: SystemTime, ours: SystemTime) {
    let begun = Instant::now();
    let (skew, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let words = format!(
        "the clock of this computer is {} s {direction} that of the store",
        skew.as_secs()
    );
    if skew > TOLERATED_SKEW {
        let error = Error::new(
            ErrorKind::NotPermitted,
            format!("{words}, and the store refuses requests over that"),
        );
        steps.fail(
            CheckStep::ClockSkew,
            begun.elapsed(),
            &error.with_advice(SET_CLOCK),
        );
    } else if skew > NOTABLE_SKEW {
        let problem = Problem {
            code: ProblemCode::WrongState,
            message: words,
            cause: None,
            advice: SET_CLOCK.to_owned(),
            retryable: true,
        };
        steps.warn(CheckStep::ClockSkew, begun.elapsed(), problem);
    } else {
        steps.pass(CheckStep::ClockSkew, begun.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::check::CheckOutcome;

    use super::*;

    fn outcome(ours: u64) -> CheckOutcome {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut steps = Steps::default();
        compare_clocks(&mut steps, at(10_000), at(ours));
        let mut list = steps.finish(&[CheckStep::ClockSkew]);
        list.lines.remove(0).outcome
    }

    #[test]
    fn clocks_may_differ_by_little() {
        assert_eq!(outcome(10_060), CheckOutcome::Passed);
        assert!(
            matches!(outcome(9_900), CheckOutcome::Warned { problem } if problem.message.contains("100 s behind"))
        );
        assert!(
            matches!(outcome(12_000), CheckOutcome::Failed { problem } if problem.message.contains("2000 s ahead"))
        );
    }
}
