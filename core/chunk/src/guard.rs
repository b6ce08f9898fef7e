//! Calls of a store that may be slow, flaky or dead: a deadline for every attempt, retries with jitter, and a
//! circuit that opens when nothing gets through.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

/// Wait before the first retry; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Failures in a row after which the store counts as dead ...
const OPEN_AFTER_FAILURES: u32 = 10;
/// ... if they span at least this long, so that one burst of parallel errors is not enough.
const OPEN_AFTER: Duration = Duration::from_secs(5);
/// While the circuit is open, one call per this time is let through to see whether the store is back.
const PROBE_EVERY: Duration = Duration::from_secs(1);

const CHECK_NETWORK: &str = "Check the network and the store; the volume goes on by itself when it is back.";

/// How many times its deadline a call may get that shares a slow line with others.
const MOST_PATIENCE: u32 = 8;

/// How many times its deadline a read may take in all, attempts and waits together: a program waits for it.
const READ_ROUNDS: u32 = 4;

/// Whether the same call may succeed a moment later.
pub(crate) fn passing(error: &Error) -> bool {
    use ErrorKind::{Conflict, Interrupted, Timeout, Unavailable, WouldBlock};
    matches!(
        error.kind(),
        Conflict | Interrupted | Timeout | Unavailable | WouldBlock
    )
}

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    failing_since: Option<Instant>,
    /// Why the last attempt failed with which the circuit opened, or a later one; `None` while it is closed.
    open: Option<String>,
    last_probe: Option<Instant>,
}

/// What a call is for; it decides what an open circuit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Somebody waits for bytes: fail at once, and after [`READ_ROUNDS`] deadlines in any case, so that programs get
    /// an answer.
    Read,
    /// Bytes that exist nowhere else: keep trying until the attempts are spent.
    Write,
}

/// Guards the calls of one store.
#[derive(Debug)]
pub(crate) struct Guard {
    get_timeout: Duration,
    put_timeout: Duration,
    retries: u32,
    /// The store, in words.
    place: String,
    circuit: Mutex<Circuit>,
    /// Attempts under way.
    under_way: AtomicU32,
}

/// Counts an attempt for as long as it runs, also when it is dropped.
struct UnderWay<'a>(&'a AtomicU32);

impl<'a> UnderWay<'a> {
    fn enter(count: &'a AtomicU32) -> UnderWay<'a> {
        count.fetch_add(1, Relaxed);
        UnderWay(count)
    }

    fn has_company(&self) -> bool {
        self.0.load(Relaxed) > 1
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Guard {
    /// `place` is the store in words.
    pub(crate) fn new(get_timeout: Duration, put_timeout: Duration, retries: u32, place: String) -> Guard {
        Guard {
            get_timeout,
            put_timeout,
            retries,
            place,
            circuit: Mutex::default(),
            under_way: AtomicU32::new(0),
        }
    }

    /// Why the store has served nothing for a while; `None` as long as it does.
    pub(crate) fn problem(&self) -> Option<String> {
        self.circuit.lock().open.clone()
    }

    /// Runs a call until it succeeds, fails for good, or the attempts are spent. Must run inside the runtime.
    ///
    /// The deadline holds for a call that has the line to itself. Many large bodies at once may be too much for a
    /// slow line, and then all of them would run into it again and again; so a call that ran into it in company gets
    /// twice the time for its next attempt, up to [`MOST_PATIENCE`] times.
    ///
    /// # Errors
    /// The last attempt's; `Timeout` when it took too long; `Unavailable` at once while the circuit is open.
    pub(crate) async fn call<T, F, Fut>(&self, purpose: Purpose, what: &str, call: F) -> Result<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let deadline = if purpose == Purpose::Read {
            self.get_timeout
        } else {
            self.put_timeout
        };
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.retries as usize)
            .with_jitter()
            .build();
        let mut patience = 1;
        let begun = tokio::time::Instant::now();
        loop {
            let error = if let Some(problem) = self.closed_for() {
                let error = Error::new(
                    ErrorKind::Unavailable,
                    format!("the object store ({}) fails, and {what} waits for it", self.place),
                )
                .with_source(problem)
                .with_advice(CHECK_NETWORK);
                if purpose == Purpose::Read {
                    return Err(error);
                }
                error
            } else {
                let attempt = {
                    let under_way = UnderWay::enter(&self.under_way);
                    let deadline = deadline * patience;
                    let attempt = tokio::time::timeout(deadline, call()).await;
                    if attempt.is_err() && under_way.has_company() {
                        patience = (patience * 2).min(MOST_PATIENCE);
                    }
                    attempt.unwrap_or_else(|_| Err(self.no_answer(what, deadline)))
                };
                self.note(attempt.as_ref().err());
                match attempt {
                    Err(error) if passing(&error) => error,
                    other => return other,
                }
            };
            let spent = purpose == Purpose::Read && begun.elapsed() >= deadline * READ_ROUNDS;
            match waits.next() {
                Some(wait) if !spent => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    fn no_answer(&self, what: &str, deadline: Duration) -> Error {
        Error::new(
            ErrorKind::Timeout,
            format!(
                "the object store ({}) gave no answer for {what} within {} s",
                self.place,
                deadline.as_secs_f32()
            ),
        )
        .with_advice(CHECK_NETWORK)
    }

    /// Why no attempt may go out now; `None` when one may.
    fn closed_for(&self) -> Option<String> {
        let mut circuit = self.circuit.lock();
        let problem = circuit.open.clone()?;
        if circuit.last_probe.is_none_or(|at| at.elapsed() >= PROBE_EVERY) {
            circuit.last_probe = Some(Instant::now());
            return None;
        }
        Some(problem)
    }

    /// Counts an outcome. Any answer that is not a passing failure shows that the store lives.
    fn note(&self, error: Option<&Error>) {
        let mut circuit = self.circuit.lock();
        let Some(error) = error.filter(|error| passing(error)) else {
            if circuit.open.is_some() {
                tracing::info!("the object store ({}) answers again", self.place);
            }
            *circuit = Circuit::default();
            return;
        };
        circuit.failures = circuit.failures.saturating_add(1);
        let since = *circuit.failing_since.get_or_insert_with(Instant::now);
        if circuit.failures < OPEN_AFTER_FAILURES || since.elapsed() < OPEN_AFTER {
            return;
        }
        if circuit.open.is_none() {
            circuit.last_probe = Some(Instant::now());
            tracing::warn!(
                %error,
                failures = circuit.failures,
                "the object store ({}) fails; so do reads until it answers again",
                self.place
            );
        }
        circuit.open = Some(error.reason());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const STEP: Duration = Duration::from_millis(5);

    /// A line that all calls share: each needs 40 ms of it.
    async fn upload(line: &AtomicUsize) -> Result<()> {
        struct Place<'a>(&'a AtomicUsize);
        impl Drop for Place<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Relaxed);
            }
        }
        line.fetch_add(1, Relaxed);
        let _place = Place(line);
        let mut left = 40.0;
        while left > 0.0 {
            tokio::time::sleep(STEP).await;
            left -= STEP.as_secs_f64() * 1000.0 / line.load(Relaxed) as f64;
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn many_uploads_over_a_slow_line_all_arrive() {
        let guard = Arc::new(Guard::new(
            Duration::from_millis(100),
            Duration::from_millis(100),
            5,
            "a store".to_owned(),
        ));
        let line = Arc::new(AtomicUsize::new(0));
        let uploads = (0..16).map(|_| {
            let (guard, line) = (Arc::clone(&guard), Arc::clone(&line));
            async move { guard.call(Purpose::Write, "x", || upload(&line)).await }
        });
        for outcome in futures_util::future::join_all(uploads).await {
            outcome.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_of_a_silent_store_ends_before_its_attempts_do() {
        let guard = Guard::new(
            Duration::from_secs(60),
            Duration::from_secs(60),
            1000,
            "a store".to_owned(),
        );
        let start = tokio::time::Instant::now();
        let never = || std::future::pending::<Result<()>>();
        let error = guard.call(Purpose::Read, "x", never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(
            start.elapsed() < Duration::from_secs(320),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test]
    async fn a_store_that_fails_for_long_is_left_alone_and_its_last_answer_is_told() {
        let guard = Guard::new(
            Duration::from_secs(1),
            Duration::from_secs(1),
            0,
            "a store".to_owned(),
        );
        let refused = || async { Err::<(), _>(Error::new(ErrorKind::Unavailable, "status 500")) };
        guard.circuit.lock().failing_since = Instant::now().checked_sub(OPEN_AFTER);
        for _ in 0..OPEN_AFTER_FAILURES {
            guard.call(Purpose::Read, "x", refused).await.unwrap_err();
        }
        let calls = AtomicUsize::new(0);
        let counted = || async { Ok::<_, Error>(calls.fetch_add(1, Relaxed)) };
        let error = guard.call(Purpose::Read, "x", counted).await.unwrap_err();
        assert_eq!(calls.load(Relaxed), 0);
        assert_eq!(
            error.reason(),
            "the object store (a store) fails, and x waits for it: status 500"
        );
        guard.circuit.lock().last_probe = None;
        guard.call(Purpose::Read, "x", counted).await.unwrap();
        assert_eq!(guard.problem(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_alone_keeps_its_deadline() {
        let guard = Guard::new(
            Duration::from_secs(1),
            Duration::from_secs(1),
            2,
            "a store".to_owned(),
        );
        let start = tokio::time::Instant::now();
        let never = || std::future::pending::<Result<()>>();
        let error = guard.call(Purpose::Write, "x", never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}
