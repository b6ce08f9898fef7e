//! Calls of a store that may be slow, flaky or dead: a deadline for every attempt, retries with jitter, and a
//! circuit that opens when nothing gets through.
//!
//! A line that swallows what is sent gives no error for a long time, and a slow one none either. So while a call hangs and
//! nothing else gets through, the store is asked a small question beside it: one that is answered leaves the call its time;
//! one that is not opens the circuit, and whoever waits is let go.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::future::BoxFuture;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Wait before the first retry; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Failures in a row after which the store counts as dead ...
const OPEN_AFTER_FAILURES: u32 = 10;
/// ... if they span at least this long, so that one burst of parallel errors is not enough.
const OPEN_AFTER: Duration = Duration::from_secs(5);
/// While the circuit is open, the store is asked this often whether it is back.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long a call may hang, while nothing else gets through, before the store is asked whether it is there at all: a block
/// over a line of an office takes a second.
const SUSPECT_AFTER: Duration = Duration::from_secs(8);
/// How long the answer to that may take: little is sent, but a line may be full of other bytes. With [`SUSPECT_AFTER`] it
/// keeps whoever waits below half a minute.
const QUESTION_DEADLINE: Duration = Duration::from_secs(10);
/// The same while the circuit is open: nothing else is on the line, and a store that is back is to be noticed soon.
const RETURN_DEADLINE: Duration = Duration::from_secs(3);

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

/// A small call that shows whether the store is there: any answer but a passing failure does.
pub(crate) type Question = Box<dyn Fn(Over) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// What a question goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Any connection.
    Any,
    /// One that is made for it: those that are there hang.
    New,
}

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    failing_since: Option<Instant>,
    /// Why the last attempt failed with which the circuit opened, or a later one; `None` while it is closed.
    open: Option<String>,
    /// When something got through last.
    through: Option<Instant>,
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
    line: Arc<Line>,
    /// Attempts under way.
    under_way: AtomicU32,
}

/// What is known of the way to the store, shared with those who ask it.
struct Line {
    /// The store, in words.
    place: String,
    question: Question,
    circuit: Mutex<Circuit>,
    /// Somebody asks.
    asking: AtomicBool,
    /// Grows when whoever hangs or waits is to try again now.
    again: watch::Sender<u64>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
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

/// What came of a question.
#[derive(Debug)]
enum Answer {
    There,
    /// It, or somebody on the way to it, says that it is not, and why.
    Away(String),
    None,
}

/// How an attempt ended.
enum Attempt<T> {
    Answered(Result<T>),
    OutOfTime,
    /// It was let go, since the line it was on is of no use.
    LetGo,
}

impl Guard {
    /// `place` is the store in words.
    pub(crate) fn new(
        get_timeout: Duration,
        put_timeout: Duration,
        retries: u32,
        place: String,
        question: Question,
    ) -> Guard {
        Guard {
            get_timeout,
            put_timeout,
            retries,
            line: Arc::new(Line {
                place,
                question,
                circuit: Mutex::default(),
                asking: AtomicBool::new(false),
                again: watch::Sender::new(0),
            }),
            under_way: AtomicU32::new(0),
        }
    }

    /// Why the store has served nothing for a while; `None` as long as it does.
    pub(crate) fn problem(&self) -> Option<String> {
        self.line.circuit.lock().open.clone()
    }

    /// Tells of each time when whoever hangs or waits is to try again: the store is back, or the line is of no use.
    pub(crate) fn turns(&self) -> watch::Receiver<u64> {
        self.line.again.subscribe()
    }

    /// The network may be another one than a moment ago, as after a sleep of the computer: calls that hang are let go and
    /// made again, and those that wait for their next attempt make it now.
    pub(crate) fn try_again(&self) {
        self.line.again.send_modify(|times| *times += 1);
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
        let mut again = self.line.again.subscribe();
        let mut patience = 1;
        let begun = Instant::now();
        loop {
            // Before the look at the circuit: one that opens after it lets go of this attempt.
            again.mark_unchanged();
            let error = if let Some(problem) = self.problem() {
                let error = self.line.is_away(what, problem);
                if purpose == Purpose::Read {
                    return Err(error);
                }
                error
            } else {
                let under_way = UnderWay::enter(&self.under_way);
                let deadline = deadline * patience;
                let attempt = match self.attempt(deadline, &mut again, call()).await {
                    Attempt::Answered(outcome) => outcome,
                    Attempt::OutOfTime => {
                        if under_way.has_company() {
                            patience = (patience * 2).min(MOST_PATIENCE);
                        }
                        Err(self.no_answer(what, deadline))
                    }
                    // It costs none of the attempts: it says nothing of this call.
                    Attempt::LetGo => continue,
                };
                drop(under_way);
                self.line.note(attempt.as_ref().err());
                match attempt {
                    Err(error) if passing(&error) => error,
                    other => return other,
                }
            };
            let spent = purpose == Purpose::Read && begun.elapsed() >= deadline * READ_ROUNDS;
            match waits.next() {
                Some(wait) if !spent => {
                    tokio::select! {
                        () = sleep(wait) => {}
                        // The sender lives as long as this guard.
                        _ = again.changed() => {}
                    }
                }
                _ => return Err(error),
            }
        }
    }

    /// One attempt, beside which the store is asked whether it is there when that is in doubt.
    async fn attempt<T>(
        &self,
        deadline: Duration,
        again: &mut watch::Receiver<u64>,
        call: impl Future<Output = Result<T>>,
    ) -> Attempt<T> {
        tokio::pin!(call);
        let end = sleep(deadline);
        tokio::pin!(end);
        let doubt = sleep(SUSPECT_AFTER);
        tokio::pin!(doubt);
        loop {
            tokio::select! {
                biased;
                outcome = &mut call => return Attempt::Answered(outcome),
                () = &mut end => return Attempt::OutOfTime,
                _ = again.changed() => return Attempt::LetGo,
                () = &mut doubt => {
                    self.line.suspect();
                    doubt.as_mut().reset(Instant::now() + SUSPECT_AFTER);
                }
            }
        }
    }

    fn no_answer(&self, what: &str, deadline: Duration) -> Error {
        Error::new(
            ErrorKind::Timeout,
            format!(
                "the object store ({}) gave no answer for {what} within {} s",
                self.line.place,
                deadline.as_secs_f32()
            ),
        )
        .with_advice(CHECK_NETWORK)
    }
}

impl Line {
    fn is_away(&self, what: &str, problem: String) -> Error {
        Error::new(
            ErrorKind::Unavailable,
            format!("the object store ({}) fails, and {what} waits for it", self.place),
        )
        .with_source(problem)
        .with_advice(CHECK_NETWORK)
    }

    /// Counts an outcome. Any answer that is not a passing failure shows that the store lives.
    fn note(self: &Arc<Self>, error: Option<&Error>) {
        let Some(error) = error.filter(|error| passing(error)) else {
            return self.lives();
        };
        let mut circuit = self.circuit.lock();
        circuit.failures = circuit.failures.saturating_add(1);
        let since = *circuit.failing_since.get_or_insert_with(Instant::now);
        let is_dead = circuit.failures >= OPEN_AFTER_FAILURES && since.elapsed() >= OPEN_AFTER;
        drop(circuit);
        if is_dead {
            self.open(error.reason());
        }
    }

    /// Something got through. Whoever waited for that goes on now.
    fn lives(&self) {
        let mut circuit = self.circuit.lock();
        let was_open = circuit.open.is_some();
        *circuit = Circuit {
            through: Some(Instant::now()),
            ..Circuit::default()
        };
        drop(circuit);
        if was_open {
            tracing::info!("the object store ({}) answers again", self.place);
            self.again.send_modify(|times| *times += 1);
        }
    }

    /// A call hangs: asks whether the store is there, unless something got through meanwhile or somebody asks already.
    fn suspect(self: &Arc<Self>) {
        {
            let circuit = self.circuit.lock();
            let recent = circuit.through.is_some_and(|at| at.elapsed() < SUSPECT_AFTER);
            if circuit.open.is_some() || recent || self.asking.swap(true, Relaxed) {
                return;
            }
        }
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let answer = line.ask(Over::New, QUESTION_DEADLINE).await;
            line.asking.store(false, Relaxed);
            match answer {
                // It does not end a series of failures: calls still hang.
                Answer::There => line.circuit.lock().through = Some(Instant::now()),
                Answer::Away(problem) => line.open(problem),
                Answer::None => line.open(format!("no answer within {} s", QUESTION_DEADLINE.as_secs())),
            }
        });
    }

    async fn ask(&self, over: Over, deadline: Duration) -> Answer {
        match timeout(deadline, (self.question)(over)).await {
            Err(_) => Answer::None,
            Ok(Err(error)) if passing(&error) => Answer::Away(error.reason()),
            Ok(_) => Answer::There,
        }
    }

    /// From now on the store counts as dead, until it answers: it is asked again and again, whether somebody needs it or not.
    fn open(self: &Arc<Self>, problem: String) {
        {
            let mut circuit = self.circuit.lock();
            let failures = circuit.failures;
            if circuit.open.is_none() {
                tracing::warn!(
                    problem,
                    failures,
                    "the object store ({}) fails; so do reads until it answers again",
                    self.place
                );
            }
            if circuit.open.replace(problem).is_some() {
                return;
            }
        }
        // Whoever hangs is let go.
        self.again.send_modify(|times| *times += 1);
        let (line, mut again) = (Arc::downgrade(self), self.again.subscribe());
        tokio::spawn(async move {
            let mut over = Over::New;
            loop {
                tokio::select! {
                    () = sleep(ASK_EVERY) => {}
                    _ = again.changed() => {}
                }
                let Some(line) = line.upgrade() else { return };
                if line.circuit.lock().open.is_none() {
                    return;
                }
                over = match line.ask(over, RETURN_DEADLINE).await {
                    Answer::There => return line.lives(),
                    Answer::Away(problem) => {
                        line.circuit.lock().open = Some(problem);
                        Over::Any
                    }
                    Answer::None => Over::New,
                };
            }
        });
    }
}
