//! Each connection sends the statements of one caller at a time, in one message.

use std::fmt;
use std::time::Instant;

use async_trait::async_trait;
use deadpool::managed::{Manager, Metrics, RecycleResult};
use moorage_model::Result;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, DriverError, Error as Cause};
use uuid::Uuid;

use super::address::Address;
use super::failure::{failure, is_broken, is_missing_table};
use super::text::text;
use super::tls::Transport;
use crate::relational::{Cell, Cells as _};
use crate::sql::{
    Connections, Driver, END_LIMIT, END_PERIOD, Failure, Lease, MAX_TRIES, Row, Statement, Value, was_idle,
};

/// Bytes of one message: well below the least limit that servers come with (max_allowed_packet, 16 MiB).
const MESSAGE_BYTES: usize = 4 << 20;

/// Makes connections.
struct Connector(Transport);

/// A connection and the lock that it holds as long as it lives at the server; no other has that name.
struct Connected {
    connection: Conn,
    name: String,
}

impl Connector {
    async fn connect(&self) -> Result<Conn, Cause> {
        match (Conn::new(self.0.first.clone()).await, &self.0.second) {
            (Err(Cause::Driver(DriverError::NoClientSslFlagFromServer)), Some(second)) => {
                Conn::new(second.clone()).await
            }
            (connected, _) => connected,
        }
    }
}

impl Manager for Connector {
    type Type = Connected;
    type Error = Cause;

    async fn create(&self) -> Result<Connected, Cause> {
        let name = format!("moorage {}", Uuid::new_v4());
        let mut connection = self.connect().await?;
        connection
            .query_drop(format!("SELECT GET_LOCK('{name}', 0)"))
            .await?;
        Ok(Connected { connection, name })
    }

    /// One that broke while it was used is not given back.
    async fn recycle(&self, connected: &mut Connected, metrics: &Metrics) -> RecycleResult<Cause> {
        if was_idle(metrics) {
            connected.connection.ping().await?;
        }
        Ok(())
    }
}

/// One MySQL server.
pub(super) struct MySql {
    address: Address,
    connections: Connections<Connector>,
}

/// A round trip that failed.
struct Broken {
    /// Statements that were answered before.
    answered: usize,
    error: Cause,
}

impl MySql {
    /// # Errors
    /// `InvalidArgument` when the library refuses the limits; `NotFound`, `AccessDenied` or `InvalidArgument` for files
    /// of certificates.
    pub(super) fn new(address: Address) -> Result<MySql> {
        let connector = Connector(Transport::new(&address.options, &address.tls)?);
        let server = format!("MySQL {}", address.shown);
        let connections = Connections::new(connector, server, address.limits)?;
        Ok(MySql { address, connections })
    }

    /// A connection; waits while the server starts.
    async fn lease(&self) -> Result<Lease<Connector>, Failure> {
        let refused = |error| failure(&self.address, error, None, false);
        self.connections.lease(is_broken, refused).await
    }

    /// Sends statements in one message and reads their answers until one fails.
    async fn round_trip(
        &self,
        lease: &mut Lease<Connector>,
        message: String,
    ) -> Result<Vec<Vec<Row>>, Failed> {
        let Some(connected) = lease.connection() else {
            return Ok(Vec::new());
        };
        let connection = &mut connected.connection;
        let conversation = async {
            let mut answers = Vec::new();
            let started = connection.query_iter(message).await;
            let mut result = started.map_err(|error| Broken { answered: 0, error })?;
            loop {
                let last = result.is_empty();
                let mut rows = Vec::new();
                loop {
                    // Tells of a failure of this statement, also when no answer seemed to be left.
                    let next = result.next().await;
                    let broken = |error: Cause| Broken {
                        answered: answers.len(),
                        error,
                    };
                    match next.map_err(broken)? {
                        Some(row) => rows.push(decoded(row)),
                        None => break,
                    }
                }
                if last {
                    break;
                }
                answers.push(rows);
            }
            Ok(answers)
        };
        match self.connections.in_time(conversation, true).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(broken)) => Err(Failed::Answered(broken)),
            Err(_) => Err(Failed::Late),
        }
    }

    /// The rows of the last statement; an error comes with the number of the first statement of its message.
    async fn run_once(
        &self,
        lease: &mut Lease<Connector>,
        statements: &[Statement],
    ) -> Result<Vec<Row>, (usize, Failed)> {
        let mut last = Vec::new();
        for (first, message) in messages(statements.iter().map(text)) {
            let answers = self.round_trip(lease, message).await;
            last = answers
                .map_err(|failed| (first, failed))?
                .pop()
                .unwrap_or_default();
        }
        Ok(last)
    }

    fn told(&self, failed: Failed, sent: bool, first: usize) -> Failure {
        match failed {
            Failed::Answered(broken) => {
                let at = first + broken.answered;
                failure(&self.address, broken.error, Some(at), sent)
            }
            Failed::Late => self.connections.late(sent),
        }
    }
}

/// Why a round trip has no whole answer.
enum Failed {
    Answered(Broken),
    Late,
}

impl Failed {
    fn is_broken(&self) -> bool {
        match self {
            Failed::Answered(broken) => is_broken(&broken.error),
            Failed::Late => true,
        }
    }
}

fn decoded(row: mysql_async::Row) -> Row {
    let columns = row.columns();
    let values = row.unwrap_raw().into_iter().zip(columns.iter());
    Row(values
        .map(|(value, column)| decoded_value(value, column))
        .collect())
}

/// Numbers come as decimal digits.
fn decoded_value(value: Option<mysql_async::Value>, column: &Column) -> Value {
    let number = matches!(
        column.column_type(),
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
    );
    match value {
        Some(mysql_async::Value::Bytes(bytes)) if number => {
            let text = std::str::from_utf8(&bytes).ok();
            match text.and_then(|text| text.parse().ok()) {
                Some(number) => Value::Int(number),
                None => Value::Bytes(bytes),
            }
        }
        Some(mysql_async::Value::Bytes(bytes)) => Value::Bytes(bytes),
        Some(mysql_async::Value::Int(number)) => Value::Int(number),
        Some(mysql_async::Value::UInt(number)) => Value::Int(number.cast_signed()),
        _ => Value::Null,
    }
}

/// Texts as few messages, each with the number of its first statement.
fn messages(texts: impl Iterator<Item = String>) -> Vec<(usize, String)> {
    let mut messages: Vec<(usize, String)> = Vec::new();
    for (place, text) in texts.enumerate() {
        match messages.last_mut() {
            Some((_, message)) if message.len() + text.len() < MESSAGE_BYTES => {
                message.push(';');
                message.push_str(&text);
            }
            _ => messages.push((place, text)),
        }
    }
    messages
}

#[async_trait]
impl Driver for MySql {
    fn location(&self) -> String {
        self.address.shown.clone()
    }

    async fn query(&self, queries: &[Statement]) -> Result<Vec<Vec<Row>>, Failure> {
        let mut all = Vec::with_capacity(queries.len());
        // A message ends with its first failure; without tables that are missing there is one message.
        let mut alone = false;
        let mut tries = 1;
        while let Some(left) = queries.get(all.len()..).filter(|left| !left.is_empty()) {
            let wanted = if alone { 1 } else { left.len() };
            let texts = left.iter().take(wanted).map(text);
            let mut lease = self.lease().await?;
            let mut failed = None;
            for (_, message) in messages(texts) {
                match self.round_trip(&mut lease, message).await {
                    Ok(answers) => all.extend(answers),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            match failed {
                None => lease.give_back(),
                Some(Failed::Answered(broken)) if is_missing_table(&broken.error) => {
                    lease.give_back();
                    if alone {
                        all.push(Vec::new());
                    }
                    alone = true;
                }
                Some(failed @ Failed::Answered(_)) if failed.is_broken() && tries < MAX_TRIES => {
                    self.connections.forget_idle();
                    tries += 1;
                }
                Some(failed) => {
                    if !failed.is_broken() {
                        lease.give_back();
                    }
                    return Err(self.told(failed, false, 0));
                }
            }
        }
        Ok(all)
    }

    async fn run(&self, statements: &[Statement]) -> Result<Vec<Row>, Failure> {
        let mut tries = 1;
        loop {
            let mut lease = self.lease().await?;
            match self.run_once(&mut lease, statements).await {
                Ok(rows) => {
                    lease.give_back();
                    return Ok(rows);
                }
                Err((_, failed @ Failed::Answered(_))) if failed.is_broken() && tries < MAX_TRIES => {
                    self.connections.forget_idle();
                    tries += 1;
                }
                Err((first, failed)) => {
                    if !failed.is_broken() {
                        lease.give_back();
                    }
                    return Err(self.told(failed, true, first));
                }
            }
        }
    }

    async fn commit(&self, statements: &[Statement]) -> Result<(), Failure> {
        let mut lease = self.lease().await?;
        let connection = lease.connection().map(|connected| connected.name.clone());
        let texts = std::iter::once("START TRANSACTION".to_owned())
            .chain(statements.iter().map(text))
            .chain(["COMMIT".to_owned()]);
        for (first, message) in messages(texts) {
            let Err(failed) = self.round_trip(&mut lease, message).await else {
                continue;
            };
            if failed.is_broken() {
                self.connections.forget_idle();
            } else {
                // The connection is used again only when the rest of the transaction is surely gone.
                let ended = self.round_trip(&mut lease, "ROLLBACK".to_owned()).await;
                if ended.is_ok() {
                    lease.give_back();
                }
            }
            let mut told = self.told(failed, true, first);
            told.statement = told.statement.and_then(|at| at.checked_sub(1));
            told.connection = connection;
            return Err(told);
        }
        lease.give_back();
        Ok(())
    }

    async fn end(&self, connection: &str) -> Result<(), Failure> {
        let holder = Statement {
            text: "SELECT IS_USED_LOCK($1)".to_owned(),
            cells: vec![Cell::Text(connection.as_bytes().to_vec().into())],
        };
        let started = Instant::now();
        loop {
            let answers = self.query(std::slice::from_ref(&holder)).await?;
            let id = answers
                .iter()
                .flatten()
                .find_map(|row| row.signed(0).ok().filter(|id| *id != 0));
            let Some(id) = id else {
                return Ok(());
            };
            if started.elapsed() > END_LIMIT {
                return Err(self.told(Failed::Late, true, 0));
            }
            // It may end by itself before.
            if let Err(failure) = self
                .run(&[Statement::plain(format!("KILL CONNECTION {id}"))])
                .await
            {
                tracing::debug!(error = %failure.error, "a broken connection could not be ended");
            }
            tokio::time::sleep(END_PERIOD).await;
        }
    }

    async fn close(&self) {
        self.connections.close();
    }
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MySql").field(&self.address.shown).finish()
    }
}
