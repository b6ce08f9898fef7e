//! MySQL and MariaDB: the statements of a round trip in one message, as text.

mod address;
mod connection;
mod failure;
mod text;
mod tls;

use moorage_model::Result;

use crate::sql::{Dialect, SqlEngine, Statements};
use address::Address;
use connection::MySql;

/// The engine for a `mysql://` URL; connects when it is first needed.
///
/// # Errors
/// `InvalidArgument` for a malformed URL, `NotFound` or `AccessDenied` for a file that it names; the text holds no
/// password.
pub(crate) fn open(url: &str, password: Option<&str>) -> Result<SqlEngine> {
    let address = Address::parse(url, password)?;
    let statements = Statements::new(Dialect::MySql, None, address.prefix.clone());
    Ok(SqlEngine::new(Box::new(MySql::new(address)?), statements))
}
