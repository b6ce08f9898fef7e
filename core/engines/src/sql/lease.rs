//! Connections out of a pool, one caller at a time.

use std::time::Duration;

use deadpool::managed::{Manager, Object, Pool, PoolError};
use moorage_model::{Error, ErrorKind};

use super::driver::{Failure, Reason};

/// Longest wait for the answers of one round trip.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a connection that others use.
pub(crate) const POOL_TIMEOUT: Duration = Duration::from_secs(30);
/// Tries of what changes nothing, when the connection breaks or none can be made.
pub(crate) const MAX_TRIES: u32 = 5;
/// Wait before the second of them; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);

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

/// A connection to `server`; tries again while it starts, which is when `is_broken` says so of an error. Others are
/// `refused`.
pub(crate) async fn lease<M: Manager>(
    pool: &Pool<M>,
    server: &str,
    is_broken: fn(&M::Error) -> bool,
    refused: impl Fn(M::Error) -> Failure,
) -> Result<Lease<M>, Failure>
where
    M::Error: std::error::Error + Send + Sync + 'static,
{
    let mut delay = RETRY_DELAY;
    let mut tries = 1;
    loop {
        match pool.get().await {
            Ok(object) => return Ok(Lease(Some(object))),
            Err(PoolError::Backend(error)) if is_broken(&error) && tries < MAX_TRIES => {
                tries += 1;
                tokio::time::sleep(delay).await;
                delay *= 2;
            }
            Err(PoolError::Backend(error)) => return Err(refused(error)),
            Err(error) => {
                let kind = match error {
                    PoolError::Timeout(_) => ErrorKind::Timeout,
                    _ => ErrorKind::Unavailable,
                };
                return Err(Failure {
                    reason: Reason::Refused,
                    statement: None,
                    error: Error::new(kind, format!("{server}: no connection")).with_source(error),
                    connection: None,
                });
            }
        }
    }
}

/// The failure of a round trip that has no answer in time; `sent` when it may have changed something.
pub(crate) fn late(server: &str, sent: bool) -> Failure {
    let error = Error::new(
        ErrorKind::Timeout,
        format!("{server} did not answer in {ANSWER_TIMEOUT:?}"),
    );
    Failure {
        reason: if sent { Reason::Unknown } else { Reason::Refused },
        statement: None,
        error: error.with_advice("Check that the server is reachable and not stopped."),
        connection: None,
    }
}
