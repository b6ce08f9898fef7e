//! Connections: each sends the statements of one caller at a time, without waiting in between.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use futures_util::future::{join_all, try_join_all};
use moorage_model::{Error, ErrorKind, Result};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Statement as Prepared};

use super::address::Address;
use super::failure::{failure, is_broken, is_missing_table};
use super::values::{Parameter, row};
use crate::sql::{Driver, Failure, Reason, Row, Statement};

/// Longest wait for the answers of one round trip.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a connection that others use.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);
/// Tries of what changes nothing, when the connection breaks or none can be made.
const MAX_TRIES: u32 = 5;
/// Wait before the second of them; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Connections to one server, made when they are first needed and again after they broke.
pub(super) struct Postgres {
    address: Address,
    pool: Pool,
}

/// A connection out of the pool. One that is dropped before its answers came may be inside a transaction, so it does
/// not go back: the server ends the transaction with the connection.
struct Lease(Option<Object>);

impl Lease {
    fn give_back(mut self) {
        self.0.take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// A round trip that failed.
struct Broken {
    statement: Option<usize>,
    error: tokio_postgres::Error,
    /// Whether statements that change something were sent.
    sent: bool,
}

impl Postgres {
    /// # Errors
    /// `InvalidArgument` when the library refuses the limits.
    pub(super) fn new(address: Address) -> Result<Postgres> {
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(address.config.clone(), NoTls, config);
        let pool = Pool::builder(manager)
            .max_size(address.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .build()
            .map_err(|error| {
                Error::new(
                    ErrorKind::InvalidArgument,
                    format!("PostgreSQL {}", address.shown),
                )
                .with_source(error)
            })?;
        Ok(Postgres { address, pool })
    }

    /// A connection; tries again while the server starts.
    async fn lease(&self) -> Result<Lease, Failure> {
        let mut delay = RETRY_DELAY;
        let mut tries = 1;
        loop {
            match self.pool.get().await {
                Ok(object) => return Ok(Lease(Some(object))),
                Err(PoolError::Backend(error)) if is_broken(&error) && tries < MAX_TRIES => {
                    tries += 1;
                    tokio::time::sleep(delay).await;
                    delay *= 2;
                }
                Err(PoolError::Backend(error)) => return Err(failure(&self.address, error, None, false)),
                Err(error) => {
                    let kind = match error {
                        PoolError::Timeout(_) => ErrorKind::Timeout,
                        _ => ErrorKind::Unavailable,
                    };
                    let told = Error::new(kind, format!("PostgreSQL {}: no connection", self.address.shown));
                    return Err(Failure {
                        reason: Reason::Refused,
                        statement: None,
                        error: told.with_source(error),
                    });
                }
            }
        }
    }

    fn late(&self, sent: bool) -> Failure {
        let error = Error::new(
            ErrorKind::Timeout,
            format!(
                "PostgreSQL {} did not answer in {ANSWER_TIMEOUT:?}",
                self.address.shown
            ),
        );
        Failure {
            reason: if sent { Reason::Unknown } else { Reason::Refused },
            statement: None,
            error: error.with_advice("Check that the server is reachable and not stopped."),
        }
    }

    fn told(&self, broken: Broken) -> Failure {
        failure(&self.address, broken.error, broken.statement, broken.sent)
    }

    /// Sends statements at once and awaits the answers of all.
    async fn round_trip(
        &self,
        lease: &Lease,
        statements: &[Statement],
    ) -> Result<Vec<Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>>, Broken> {
        let Some(client) = &lease.0 else {
            return Ok(Vec::new());
        };
        // Those that this connection does not know yet take a round trip of their own, all together.
        let mut prepared: Vec<Option<Prepared>> = Vec::with_capacity(statements.len());
        let distinct: HashSet<&str> = statements
            .iter()
            .map(|statement| statement.text.as_str())
            .collect();
        try_join_all(distinct.into_iter().map(|text| client.prepare_cached(text)))
            .await
            .or_else(|error| {
                if is_missing_table(&error) {
                    Ok(Vec::new())
                } else {
                    Err(error)
                }
            })
            .map_err(|error| Broken {
                statement: None,
                error,
                sent: false,
            })?;
        for statement in statements {
            match client.prepare_cached(&statement.text).await {
                Ok(known) => prepared.push(Some(known)),
                Err(error) if is_missing_table(&error) => prepared.push(None),
                Err(error) => {
                    return Err(Broken {
                        statement: None,
                        error,
                        sent: false,
                    });
                }
            }
        }
        // Each is sent when its future is first polled, which happens in their order.
        let running = statements.iter().zip(&prepared).map(|(statement, prepared)| {
            let parameters: Vec<Parameter<'_>> = statement.cells.iter().map(Parameter).collect();
            async move {
                let Some(prepared) = prepared else {
                    return Ok(Vec::new());
                };
                let parameters: Vec<&(dyn ToSql + Sync)> = parameters
                    .iter()
                    .map(|parameter| parameter as &(dyn ToSql + Sync))
                    .collect();
                client.query(prepared, &parameters).await
            }
        });
        Ok(join_all(running).await)
    }

    async fn transaction(&self, lease: &Lease, statements: &[Statement]) -> Result<(), Broken> {
        let begin = Statement::plain("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        let all: Vec<Statement> = std::iter::once(begin)
            .chain(statements.iter().cloned())
            .chain([Statement::plain("COMMIT")])
            .collect();
        let answers = self.round_trip(lease, &all).await?;
        for (place, answer) in answers.into_iter().enumerate() {
            // The first failure is the cause of all that follow; the last statement then rolled back.
            if let Err(error) = answer {
                return Err(Broken {
                    statement: place.checked_sub(1).filter(|at| *at < statements.len()),
                    error,
                    sent: true,
                });
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Driver for Postgres {
    fn location(&self) -> String {
        self.address.shown.clone()
    }

    async fn query(&self, queries: &[Statement]) -> Result<Vec<Vec<Row>>, Failure> {
        let mut tries = 1;
        loop {
            let lease = self.lease().await?;
            let trip = tokio::time::timeout(ANSWER_TIMEOUT, self.round_trip(&lease, queries)).await;
            let broken = match trip.map_err(|_| self.late(false))? {
                Err(broken) => broken,
                Ok(answers) => match rows(answers) {
                    Ok(rows) => {
                        lease.give_back();
                        return Ok(rows);
                    }
                    Err(broken) => broken,
                },
            };
            if is_broken(&broken.error) && tries < MAX_TRIES {
                tries += 1;
                continue;
            }
            if !is_broken(&broken.error) {
                lease.give_back();
            }
            return Err(self.told(broken));
        }
    }

    async fn run(&self, statements: &[Statement]) -> Result<Vec<Row>, Failure> {
        let lease = self.lease().await?;
        let mut last = Vec::new();
        // One after the other: each may need what the one before made.
        for statement in statements {
            let trip = self.round_trip(&lease, std::slice::from_ref(statement));
            let trip = tokio::time::timeout(ANSWER_TIMEOUT, trip).await;
            let answers = match trip.map_err(|_| self.late(true))? {
                Ok(answers) => rows(answers),
                Err(broken) => Err(broken),
            };
            last = match answers {
                Ok(mut answers) => answers.pop().unwrap_or_default(),
                Err(mut broken) => {
                    broken.sent = true;
                    if !is_broken(&broken.error) {
                        lease.give_back();
                    }
                    return Err(self.told(broken));
                }
            };
        }
        lease.give_back();
        Ok(last)
    }

    async fn commit(&self, statements: &[Statement]) -> Result<(), Failure> {
        let lease = self.lease().await?;
        let trip = tokio::time::timeout(ANSWER_TIMEOUT, self.transaction(&lease, statements)).await;
        match trip.map_err(|_| self.late(true))? {
            Ok(()) => {
                lease.give_back();
                Ok(())
            }
            Err(broken) => {
                if !is_broken(&broken.error) {
                    lease.give_back();
                }
                Err(self.told(broken))
            }
        }
    }

    async fn close(&self) {
        self.pool.close();
    }
}

/// Rows of all answers; a table that does not exist has none.
fn rows(
    answers: Vec<Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>>,
) -> Result<Vec<Vec<Row>>, Broken> {
    let decoded = answers.into_iter().enumerate().map(|(place, answer)| {
        let rows = match answer {
            Ok(rows) => rows.iter().map(row).collect(),
            Err(error) if is_missing_table(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        rows.map_err(|error| Broken {
            statement: Some(place),
            error,
            sent: false,
        })
    });
    decoded.collect()
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.address.shown).finish()
    }
}
