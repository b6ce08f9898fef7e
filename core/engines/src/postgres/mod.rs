//! PostgreSQL: statements prepared once per connection, sent without waiting for each other's answers.

mod address;
mod connection;
mod connector;
mod failure;
mod listen;
mod tls;
mod values;

use moorage_model::Result;

use crate::sql::{Dialect, SqlEngine, Statements};
use address::Address;
use connection::Postgres;

/// The engine for a `postgres://` URL; connects when it is first needed.
///
/// # Errors
/// `InvalidArgument` for a malformed URL, `NotFound` or `AccessDenied` for a file that it names; the text holds no
/// password.
pub(crate) fn open(url: &str, password: Option<&str>) -> Result<SqlEngine> {
    let address = Address::parse(url, password)?;
    let statements = Statements::new(Dialect::Postgres, address.schema.clone(), address.prefix.clone());
    Ok(SqlEngine::new(Box::new(Postgres::new(address)?), statements))
}
