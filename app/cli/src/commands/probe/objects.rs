//! Using a store: keys, writing, reading, listing, deleting.

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{ObjectStore, ProbeObject, prefix_in_use};
use moorage_control::check::CheckStep;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_model::{Error, ErrorKind, Setting};
use tokio::time::Instant;

use super::network;
use crate::checklist::{Steps, within_deadline};
use crate::volume;

/// A small request that takes longer makes every file slow to open.
const SLOW_REQUEST: Duration = Duration::from_secs(1);

/// Tries the store of a setting. Answers with it when it can be written.
pub(super) async fn try_store(steps: &mut Steps, setting: &Setting) -> Option<Arc<dyn ObjectStore>> {
    let begun = Instant::now();
    let opened = match volume::open_objects(setting) {
        Ok(store) => store,
        Err(error) => {
            let step = match error.kind() {
                ErrorKind::Unauthenticated => CheckStep::Authentication,
                _ => CheckStep::Dns,
            };
            steps.fail(step, begun.elapsed(), &error);
            return None;
        }
    };
    let store = opened.as_ref();
    let remote = store.endpoint();
    if let Some(endpoint) = remote
        && !network::reach(steps, endpoint).await
    {
        return None;
    }
    let listing = list(steps, store, remote.is_some()).await?;
    let object = ProbeObject::new();
    let mut quickest = listing;
    let begun = Instant::now();
    steps.attempt(CheckStep::Put, object.write(store)).await?;
    quickest = quickest.min(begun.elapsed());
    let begun = Instant::now();
    if steps
        .attempt(CheckStep::Get, object.read_back(store))
        .await
        .is_some()
    {
        quickest = quickest.min(begun.elapsed());
    }
    steps.attempt(CheckStep::Delete, object.delete(store)).await;
    judge_latency(steps, quickest);
    Some(opened)
}

/// Lists one object, which tells too whether the keys are taken. How long it took; `None` when the store can not be used.
async fn list(steps: &mut Steps, store: &dyn ObjectStore, has_keys: bool) -> Option<Duration> {
    let begun = Instant::now();
    let listed = within_deadline(store.list("", None, 1)).await;
    let elapsed = begun.elapsed();
    match listed {
        Ok(_) => {
            if has_keys {
                steps.pass(CheckStep::Authentication, elapsed);
            }
            steps.pass(CheckStep::List, elapsed);
            Some(elapsed)
        }
        // Keys that may do other things, but not this.
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            if has_keys {
                steps.pass(CheckStep::Authentication, elapsed);
            }
            steps.fail(CheckStep::List, elapsed, &error);
            Some(elapsed)
        }
        Err(error) => {
            let step = match error.kind() {
                ErrorKind::Unauthenticated => CheckStep::Authentication,
                _ => CheckStep::List,
            };
            steps.fail(step, elapsed, &error);
            None
        }
    }
}

fn judge_latency(steps: &mut Steps, quickest: Duration) {
    if quickest <= SLOW_REQUEST {
        return steps.pass(CheckStep::Latency, quickest);
    }
    let problem = Problem {
        code: ProblemCode::TimedOut,
        message: format!("a small request takes {} ms", quickest.as_millis()),
        cause: None,
        advice: "Files open slowly at this distance: choose a region nearby, or check the network."
            .to_owned(),
        retryable: true,
    };
    steps.warn(CheckStep::Latency, quickest, problem);
}

/// Looks whether the place for a new volume is free.
pub(super) async fn find_place(steps: &mut Steps, store: &dyn ObjectStore) {
    let free = async {
        match prefix_in_use(store).await? {
            None => Ok(()),
            Some(key) => Err(Error::new(
                ErrorKind::Exists,
                format!("{} holds objects already, such as {key}", store.describe()),
            )
            .with_advice("Give the volume another name, or take another bucket.")),
        }
    };
    steps.attempt(CheckStep::PrefixEmpty, free).await;
}

#[cfg(test)]
mod tests {
    use moorage_control::check::CheckOutcome;

    use super::*;

    #[test]
    fn a_slow_store_is_told_and_no_failure() {
        let mut steps = Steps::default();
        judge_latency(&mut steps, Duration::from_millis(1500));
        let list = steps.finish(&[CheckStep::Latency]);
        let warned = list.lines.first().map(|line| &line.outcome);
        assert!(
            matches!(warned, Some(CheckOutcome::Warned { problem }) if problem.message.contains("1500 ms"))
        );
    }
}
