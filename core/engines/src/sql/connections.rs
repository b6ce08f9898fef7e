//! Connections to one server, one caller at a time: made when they are first needed and again after they broke.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, TimeoutType};
use moorage_model::{Error, ErrorKind, Result};

use super::driver::{Failure, Reason};

/// Longest wait for the answers of one round trip, when the URL does not say: longer than a server is usually paused,
/// and than the server lets a statement wait for a row.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(45);
/// Longest wait for a connection to be made, when the URL does not say.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a connection that others use.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);
/// Tries of what changes nothing, when the connection breaks or none can be made.
pub(crate) const MAX_TRIES: u32 = 5;
/// Longest wait for a server that was reached before: it starts again, or another takes its place.
const RESTART_LIMIT: Duration = Duration::from_secs(20);
/// Wait before the second try; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// Longest wait between two tries.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);
/// A connection that nobody used for longer is asked whether it lives before it is used: servers end those that are idle.
const IDLE_LIMIT: Duration = Duration::from_secs(1);
/// Longest wait for that answer.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// The connections.
pub(crate) struct Connections<M: Manager> {
    pool: Pool<M>,
    /// For messages.
    server: String,
    answer_timeout: Duration,
    /// Whether there ever was one.
    reached: AtomicBool,
}

/// How many connections there may be and how long they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections at most.
    pub(crate) connections: usize,
    /// Longest wait for a connection to be made.
    pub(crate) connect: Duration,
    /// Longest wait for the answers of one round trip.
    pub(crate) answer: Duration,
}

/// A connection out of the pool. One that is dropped before its answers came may be inside a transaction, so it does
/// not go back: the server ends the transaction with the connection.
pub(crate) struct Lease<M: Manager>(Option<Object<M>>);

impl<M: Manager> Lease<M> {
    /// Lets others use it again.
    pub(crate) fn give_back(mut self) {
        self.0.take();
    }

    /// The connection; there until the lease ends.
    pub(crate) fn connection(&mut self) -> Option<&mut M::Type> {
        self.0.as_deref_mut()
    }
}

impl<M: Manager> Drop for Lease<M> {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// Whether a connection was idle for so long that it is asked whether it lives.
pub(crate) fn was_idle(metrics: &Metrics) -> bool {
    metrics.last_used() > IDLE_LIMIT
}

impl<M: Manager> Connections<M>
where
    M::Error: std::error::Error + Send + Sync + 'static,
{
    /// Connections to `server`, which is a name for messages.
    ///
    /// # Errors
    /// `InvalidArgument` when the library refuses the limits.
    pub(crate) fn new(manager: M, server: String, limits: Limits) -> Result<Connections<M>> {
        let pool = Pool::builder(manager)
            .max_size(limits.connections)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .create_timeout(Some(limits.connect))
            .recycle_timeout(Some(PING_TIMEOUT))
            .build()
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, server.clone()).with_source(error))?;
        Ok(Connections {
            pool,
            server,
            answer_timeout: limits.answer,
            reached: AtomicBool::new(false),
        })
    }

    /// A connection. Waits for a server that was reached before and is away, which is when `is_broken` says so of an
    /// error, and a moment for one that was not. Other errors are `refused`.
    pub(crate) async fn lease(
        &self,
        is_broken: fn(&M::Error) -> bool,
        refused: impl Fn(M::Error) -> Failure,
    ) -> Result<Lease<M>, Failure> {
        let started = Instant::now();
        let mut delay = RETRY_DELAY;
        let mut tries = 1;
        loop {
            let (failure, patient) = match self.pool.get().await {
                Ok(object) => {
                    self.reached.store(true, Ordering::Relaxed);
                    return Ok(Lease(Some(object)));
                }
                Err(PoolError::Backend(error)) => {
                    let broken = is_broken(&error);
                    (refused(error), broken && tries < MAX_TRIES)
                }
                Err(error @ PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle)) => {
                    (self.none(ErrorKind::Timeout, error), false)
                }
                Err(error @ PoolError::Timeout(TimeoutType::Wait)) => {
                    return Err(self.none(ErrorKind::Timeout, error));
                }
                Err(error) => return Err(self.none(ErrorKind::Unavailable, error)),
            };
            let away = matches!(failure.error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
            let waits = away && self.reached.load(Ordering::Relaxed) && started.elapsed() < RESTART_LIMIT;
            if !patient && !waits {
                return Err(failure);
            }
            tries += 1;
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }

    /// Drops the connections that nobody uses, since one broke: a server that went away has ended them all, and as many
    /// tries as there were connections would meet one that is dead.
    pub(crate) fn forget_idle(&self) {
        drop(self.pool.retain(|_, _| false));
    }

    fn none(&self, kind: ErrorKind, cause: PoolError<M::Error>) -> Failure {
        let error = Error::new(kind, format!("{}: no connection", self.server)).with_source(cause);
        Failure {
            reason: Reason::Refused,
            statement: None,
            error: error.with_advice("Check that the server runs, is reachable and is not stopped."),
            connection: None,
        }
    }

    /// Waits for the answers of one round trip, as long as that may take; `sent` when it may change something.
    pub(crate) async fn in_time<T>(&self, trip: impl Future<Output = T>, sent: bool) -> Result<T, Failure> {
        let answer = tokio::time::timeout(self.answer_timeout, trip).await;
        answer.map_err(|_| self.late(sent))
    }

    /// The failure of a round trip that has no answer in time; `sent` when it may have changed something.
    pub(crate) fn late(&self, sent: bool) -> Failure {
        let error = Error::new(
            ErrorKind::Timeout,
            format!("{} did not answer in {:?}", self.server, self.answer_timeout),
        );
        Failure {
            reason: if sent { Reason::Unknown } else { Reason::Refused },
            statement: None,
            error: error.with_advice("Check that the server is reachable and not stopped."),
            connection: None,
        }
    }

    /// Closes every connection; later calls fail.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}
