//! What a server has to offer to hold a volume.

use std::fmt::Debug;

use async_trait::async_trait;
use moorage_meta::{Changes, untold};
use moorage_model::{Error, Result};

use super::statement::{Row, Statement};
use super::statements::Listening;

/// Why a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Something that it relies on was changed by others, or the server chose it to end a deadlock.
    Conflict,
    /// It names a column that the database does not have.
    MissingColumn,
    /// The connection broke after the transaction was sent: it may have been committed.
    Unknown,
    /// Anything else; nothing was changed.
    Refused,
}

/// A transaction that was not acknowledged.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    /// Which of its statements failed, where that is known.
    pub(crate) statement: Option<usize>,
    pub(crate) error: Error,
    /// The connection that it was sent on, when the fate of the transaction is not known.
    pub(crate) connection: Option<String>,
}

/// A client of one SQL server.
#[async_trait]
pub(crate) trait Driver: Debug + Send + Sync {
    /// Where the server is, without secrets.
    fn location(&self) -> String;

    /// Runs queries in one round trip. A broken connection is made again and they are sent again; a table that does
    /// not exist has no rows, since older releases made fewer (spec 40-sql section 2).
    async fn query(&self, queries: &[Statement]) -> Result<Vec<Vec<Row>>, Failure>;

    /// Runs statements that change something, each a transaction of its own, in one round trip. All are sent again when
    /// the connection breaks, so they must be such that it does no harm to apply them twice. Answers with the rows of
    /// the last one.
    async fn run(&self, statements: &[Statement]) -> Result<Vec<Row>, Failure>;

    /// Runs statements as one transaction at READ COMMITTED, in one round trip: all of them, or none when one fails.
    async fn commit(&self, statements: &[Statement]) -> Result<(), Failure>;

    /// Ends a connection at the server and waits until its transaction has an end too.
    async fn end(&self, connection: &str) -> Result<(), Failure>;

    /// Begins to tell what other clients change, as [`moorage_meta::Engine::watch`].
    ///
    /// # Errors
    /// `NotSupported` where the server carries no messages between clients; what it answers.
    async fn watch(&self, _listening: Listening) -> Result<Changes> {
        Err(untold(&self.location()))
    }

    /// Closes every connection; later calls fail.
    async fn close(&self);
}
