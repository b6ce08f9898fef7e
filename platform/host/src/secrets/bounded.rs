//! Calls that may block for ever, with an end: a keyring may wait for a person, or hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{SecretError, SecretErrorKind};

/// Most calls of one store that are under way, those included that nobody waits for any more: a keyring that hangs costs so
/// many threads and no more.
const MOST_CALLS: usize = 4;

/// Runs the calls of one store, each on a thread of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    running: Arc<AtomicUsize>,
}

/// Counts a call for as long as it runs.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Calls {
    /// Runs a call, and waits for it until the deadline. It goes on after that.
    pub(super) fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let running = Running(Arc::clone(&self.running));
        if self.running.fetch_add(1, Ordering::AcqRel) >= MOST_CALLS {
            return Err(silent("still does not answer earlier calls"));
        }
        let (answer, answered) = mpsc::channel();
        let thread = thread::Builder::new().name("moorage-keyring".to_owned());
        let spawned = thread.spawn(move || {
            let outcome = call();
            drop(running);
            // Nobody waits any more when the deadline has passed.
            let _late = answer.send(outcome);
        });
        if let Err(error) = spawned {
            return Err(silent("can not be asked").with_source(error));
        }
        match answered.recv_timeout(deadline) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                Err(silent(&format!("did not answer within {} s", deadline.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(silent("could not be asked")),
        }
    }
}

fn silent(what: &str) -> SecretError {
    SecretError::new(
        SecretErrorKind::Silent,
        format!("the keyring {what}"),
        "Look for a window of the keyring that waits for an answer, or log in anew. It is tried again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_is_left_at_its_deadline_and_no_more_than_a_few_are_made() {
        let calls = Calls::default();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        for _ in 0..MOST_CALLS {
            let released = Arc::clone(&released);
            let hangs = calls.run(Duration::ZERO, move || {
                let _ended = released.lock().expect("whole").recv();
                Ok(())
            });
            assert_eq!(hangs.expect_err("late").kind(), SecretErrorKind::Silent);
        }
        let refused = calls.run(Duration::from_secs(60), || Ok(()));
        assert_eq!(refused.expect_err("full").kind(), SecretErrorKind::Silent);
        drop(release);
        while calls.running.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        calls.run(Duration::from_secs(60), || Ok(())).expect("free again");
    }
}
