//! Each connection sends the statements of one caller at a time, without waiting in between.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures_util::future::{join_all, maybe_done};
use futures_util::poll;
use moorage_meta::Changes;
use moorage_model::Result;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement as Prepared};

use super::address::Address;
use super::connector::{Connected, Connector};
use super::failure::{failure, is_broken, is_missing_table};
use super::listen;
use super::tls::Tls;
use super::values::{Parameter, row};
use crate::relational::Cell;
use crate::sql::{
    Connections, Driver, END_LIMIT, END_PERIOD, Failure, Lease, Listening, MAX_TRIES, Row, Statement,
};

/// Statements that a connection knows at most; a few hundred are written in all.
const MAX_PREPARED: usize = 1000;

/// One PostgreSQL server.
pub(super) struct Postgres {
    address: Address,
    connections: Connections<Connector>,
    connector: Arc<Connector>,
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
    /// `InvalidArgument` when the library refuses the limits; `NotFound`, `AccessDenied` or `InvalidArgument` for files
    /// of certificates.
    pub(super) fn new(address: Address) -> Result<Postgres> {
        let connector = Connector {
            config: address.config.clone(),
            tls: Tls::new(&address.tls)?,
        };
        let server = format!("PostgreSQL {}", address.shown);
        let connections = Connections::new(connector.clone(), server, address.limits)?;
        Ok(Postgres {
            address,
            connections,
            connector: Arc::new(connector),
        })
    }

    /// A connection; waits while the server starts.
    async fn lease(&self) -> Result<Lease<Connector>, Failure> {
        let refused = |error| failure(&self.address, error, None, false);
        self.connections.lease(is_broken, refused).await
    }

    fn told(&self, broken: Broken) -> Failure {
        failure(&self.address, broken.error, broken.statement, broken.sent)
    }

    /// Sends statements at once and awaits the answers of all. With `lenient`, one on a table that does not exist
    /// answers with nothing. One that is not sent, since a place can not hold its value, is the last that is answered:
    /// those behind it are not sent either.
    async fn round_trip(
        &self,
        lease: &mut Lease<Connector>,
        statements: &[Statement],
        lenient: bool,
    ) -> Result<Vec<Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>>, Broken> {
        let Some(connected) = lease.connection() else {
            return Ok(Vec::new());
        };
        prepare(connected, statements, lenient).await?;
        let client = &connected.client;
        let mut running = Vec::with_capacity(statements.len());
        for statement in statements {
            let prepared = connected.prepared.get(&statement.text);
            let mut answer = Box::pin(maybe_done(ask(client, prepared, statement)));
            // Each is sent when it is first polled, unless this client refuses a value of it.
            let polled = poll!(answer.as_mut());
            let refused =
                polled.is_ready() && answer.as_mut().output_mut().is_some_and(|answer| answer.is_err());
            running.push(answer);
            if refused {
                break;
            }
        }
        join_all(running.iter_mut().map(|answer| answer.as_mut())).await;
        let answers = running
            .iter_mut()
            .filter_map(|answer| answer.as_mut().take_output());
        Ok(answers.collect())
    }

    /// One after the other: each may need what the one before made. The rows of the last one.
    async fn run_once(
        &self,
        lease: &mut Lease<Connector>,
        statements: &[Statement],
    ) -> Result<Vec<Row>, Broken> {
        let mut last = Vec::new();
        for statement in statements {
            let answers = self
                .round_trip(lease, std::slice::from_ref(statement), false)
                .await?;
            last = rows(answers)?.pop().unwrap_or_default();
        }
        Ok(last)
    }

    async fn transaction(
        &self,
        lease: &mut Lease<Connector>,
        statements: &[Statement],
    ) -> Result<(), Broken> {
        let begin = Statement::plain("BEGIN ISOLATION LEVEL READ COMMITTED");
        let all: Vec<Statement> = std::iter::once(begin)
            .chain(statements.iter().cloned())
            .chain([Statement::plain("COMMIT")])
            .collect();
        let answers = self.round_trip(lease, &all, false).await?;
        if answers.len() < all.len() {
            let end = Statement::plain("ROLLBACK");
            let ended = self.round_trip(lease, std::slice::from_ref(&end), false).await;
            // Also a connection that broke refuses what is not sent yet; of what was sent before, the fate is to be told.
            ended
                .and_then(rows)
                .map_err(|broken| Broken { sent: true, ..broken })?;
        }
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
            let mut lease = self.lease().await?;
            let trip = self.round_trip(&mut lease, queries, true);
            let broken = match self.connections.in_time(trip, false).await? {
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
                self.connections.forget_idle();
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
        let mut tries = 1;
        loop {
            let mut lease = self.lease().await?;
            let run = self.run_once(&mut lease, statements);
            match self.connections.in_time(run, true).await? {
                Ok(rows) => {
                    lease.give_back();
                    return Ok(rows);
                }
                Err(broken) if is_broken(&broken.error) && tries < MAX_TRIES => {
                    self.connections.forget_idle();
                    tries += 1;
                }
                Err(mut broken) => {
                    broken.sent = true;
                    if !is_broken(&broken.error) {
                        lease.give_back();
                    }
                    return Err(self.told(broken));
                }
            }
        }
    }

    async fn commit(&self, statements: &[Statement]) -> Result<(), Failure> {
        let mut tries = 1;
        loop {
            let mut lease = self.lease().await?;
            let connection = lease.connection().map(|connected| connected.name.clone());
            let trip = self.transaction(&mut lease, statements);
            let mut failure = match self.connections.in_time(trip, true).await {
                Ok(Ok(())) => {
                    lease.give_back();
                    return Ok(());
                }
                Ok(Err(broken)) => {
                    if is_broken(&broken.error) {
                        self.connections.forget_idle();
                        // It broke before anything was sent that changes something.
                        if !broken.sent && tries < MAX_TRIES {
                            tries += 1;
                            continue;
                        }
                    } else {
                        lease.give_back();
                    }
                    self.told(broken)
                }
                Err(late) => late,
            };
            failure.connection = connection;
            return Err(failure);
        }
    }

    async fn end(&self, connection: &str) -> Result<(), Failure> {
        let name = || vec![Cell::Text(connection.as_bytes().to_vec().into())];
        let end = Statement {
            text: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
                .to_owned(),
            cells: name(),
        };
        let started = Instant::now();
        // Ending one that is gone already answers with no row.
        while !self
            .query(std::slice::from_ref(&end))
            .await?
            .iter()
            .all(Vec::is_empty)
        {
            if started.elapsed() > END_LIMIT {
                return Err(self.connections.late(true));
            }
            tokio::time::sleep(END_PERIOD).await;
        }
        Ok(())
    }

    async fn watch(&self, listening: Listening) -> Result<Changes> {
        listen::watch(Arc::clone(&self.connector), self.address.clone(), listening).await
    }

    async fn close(&self) {
        self.connections.close();
    }
}

/// Sends a statement and awaits its rows; one that could not be prepared has none.
async fn ask(
    client: &Client,
    prepared: Option<&Prepared>,
    statement: &Statement,
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let Some(prepared) = prepared else {
        return Ok(Vec::new());
    };
    let parameters: Vec<Parameter<'_>> = statement.cells.iter().map(Parameter).collect();
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters
        .iter()
        .map(|parameter| parameter as &(dyn ToSql + Sync))
        .collect();
    client.query(prepared, &parameters).await
}

/// Makes known to a connection what it does not know yet: one round trip for all of it.
async fn prepare(connected: &mut Connected, statements: &[Statement], lenient: bool) -> Result<(), Broken> {
    let texts = statements.iter().map(|statement| statement.text.as_str());
    let unknown: HashSet<&str> = texts
        .filter(|text| !connected.prepared.contains_key(*text))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    if connected.prepared.len() > MAX_PREPARED {
        connected.prepared.clear();
        return Box::pin(prepare(connected, statements, lenient)).await;
    }
    let client = &connected.client;
    let preparing = unknown
        .into_iter()
        .map(|text| async move { (text, client.prepare(text).await) });
    for (text, prepared) in join_all(preparing).await {
        match prepared {
            Ok(prepared) => drop(connected.prepared.insert(text.to_owned(), prepared)),
            Err(error) if lenient && is_missing_table(&error) => {}
            Err(error) => {
                let statement = statements.iter().position(|statement| statement.text == text);
                return Err(Broken {
                    statement,
                    error,
                    sent: false,
                });
            }
        }
    }
    Ok(())
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
