//! PostgreSQL's failures as errors that say what to do.

use std::error::Error as _;

use moorage_model::{Error, ErrorKind};
use tokio_postgres::error::SqlState;

use super::address::Address;
use super::values::TooLarge;
use crate::sql::{Failure, Reason};

/// Whether the table that a query names does not exist.
pub(super) fn is_missing_table(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNDEFINED_TABLE)
}

/// Whether the connection broke, so that a query can be sent again on another one.
pub(super) fn is_broken(error: &tokio_postgres::Error) -> bool {
    let shut_down = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::CONNECTION_FAILURE,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    match error.code() {
        Some(code) => shut_down.contains(code),
        None if encryption(error).is_some() => false,
        None => error.is_closed() || source::<std::io::Error>(error).is_some(),
    }
}

/// Whether the server refused a connection because it is not encrypted.
pub(super) fn wants_tls(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// What the two sides could not agree on when they began to encrypt.
fn encryption(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    // What is inside an error of input and output is not its source.
    let inner = source::<std::io::Error>(error)?.get_ref()?;
    inner.downcast_ref()
}

/// Whether the server can not encrypt; the library has no other sign of it.
pub(super) fn has_no_tls(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|cause| cause.to_string().contains("does not support TLS"))
}

fn source<T: std::error::Error + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(wanted) = found.downcast_ref() {
            return Some(wanted);
        }
        cause = found.source();
    }
    None
}

/// What a failed request means; `sent` says that it changes something and was sent.
pub(super) fn failure(
    address: &Address,
    error: tokio_postgres::Error,
    statement: Option<usize>,
    sent: bool,
) -> Failure {
    let (kind, advice) = meaning(address, &error);
    let reason = match error.code() {
        Some(code) if *code == SqlState::UNDEFINED_COLUMN => Reason::MissingColumn,
        _ if kind == ErrorKind::Conflict => Reason::Conflict,
        _ if sent && is_broken(&error) => Reason::Unknown,
        _ => Reason::Refused,
    };
    let detail = match error.as_db_error() {
        Some(answer) => format!("PostgreSQL {}: {}", address.shown, answer.message()),
        None => format!("PostgreSQL {}", address.shown),
    };
    let mut told = Error::new(kind, detail).with_source(error);
    if let Some(advice) = advice {
        told = told.with_advice(advice);
    }
    Failure {
        reason,
        statement,
        error: told,
        connection: None,
    }
}

fn meaning(address: &Address, error: &tokio_postgres::Error) -> (ErrorKind, Option<String>) {
    let says = |kind: ErrorKind, advice: &str| (kind, Some(advice.to_owned()));
    let Some(code) = error.code() else {
        if source::<TooLarge>(error).is_some() {
            return says(
                ErrorKind::InvalidArgument,
                "PostgreSQL volumes hold users, groups and devices below 2^31.",
            );
        }
        if let Some(cause) = encryption(error) {
            let advice = match cause {
                rustls::Error::InvalidCertificate(_) => {
                    "The certificate of the server is not accepted: name its authority with sslrootcert and the \
                     host as it stands in the certificate, or use sslmode=require where the network may be trusted."
                }
                _ => {
                    "The server may want a certificate of this client: sslcert and sslkey in the metadata URL."
                }
            };
            return says(ErrorKind::Unauthenticated, advice);
        }
        if has_no_tls(error) {
            return says(
                ErrorKind::Unauthenticated,
                "The server does not encrypt: set ssl=on there, or sslmode=disable in the metadata URL where the \
                 network may be trusted.",
            );
        }
        return if is_broken(error) {
            says(
                ErrorKind::Unavailable,
                "Check that the server runs and is reachable.",
            )
        } else if error
            .source()
            .is_some_and(|cause| cause.to_string().contains("password missing"))
        {
            says(
                ErrorKind::Unauthenticated,
                "Put the password into META_PASSWORD or into the metadata URL.",
            )
        } else {
            (ErrorKind::Io, None)
        };
    };
    match *code {
        // What a comparison divides by when something else was found.
        SqlState::DIVISION_BY_ZERO
        | SqlState::UNIQUE_VIOLATION
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE => (ErrorKind::Conflict, None),
        // Two clients that make one table meet in the catalogue.
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_COLUMN | SqlState::DUPLICATE_OBJECT => {
            (ErrorKind::Conflict, None)
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => says(
            ErrorKind::Unauthenticated,
            "Check user, password and sslmode in the metadata URL, or META_PASSWORD, and pg_hba.conf of the server.",
        ),
        SqlState::INVALID_CATALOG_NAME => (
            ErrorKind::DatabaseMissing,
            Some(format!(
                "Make it with `createdb {}`, or correct the metadata URL.",
                address.database
            )),
        ),
        SqlState::INVALID_SCHEMA_NAME => (
            ErrorKind::DatabaseMissing,
            Some(format!(
                "Make it with `CREATE SCHEMA {}`, or correct search_path in the metadata URL.",
                address.schema.as_deref().unwrap_or("public")
            )),
        ),
        SqlState::UNDEFINED_TABLE => says(
            ErrorKind::DatabaseMissing,
            "The tables of the volume are gone: somebody dropped or moved them, or search_path leads elsewhere now.",
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => says(
            ErrorKind::AccessDenied,
            "Give the user all rights on the schema of the volume and its tables (GRANT).",
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => says(
            ErrorKind::ReadOnly,
            "The server is a replica or read-only; write the address of the primary.",
        ),
        SqlState::DISK_FULL => says(ErrorKind::NoSpace, "Free some space on the disk of the server."),
        SqlState::OUT_OF_MEMORY => says(ErrorKind::NoSpace, "The server has no memory left."),
        SqlState::TOO_MANY_CONNECTIONS => says(
            ErrorKind::Unavailable,
            "Raise max_connections of the server, or lower max_open_conns in the metadata URL.",
        ),
        SqlState::QUERY_CANCELED => says(
            ErrorKind::Timeout,
            "The server canceled the statement; raise statement_timeout of the user.",
        ),
        SqlState::IDLE_SESSION_TIMEOUT | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => says(
            ErrorKind::Unavailable,
            "The server ends connections that are idle; try again.",
        ),
        SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => says(
            ErrorKind::Unavailable,
            "The server is starting or stopping; try again in a moment.",
        ),
        SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => says(
            ErrorKind::InvalidArgument,
            "PostgreSQL volumes hold names of extended attributes as UTF-8 text without NUL.",
        ),
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE | SqlState::STRING_DATA_RIGHT_TRUNCATION => {
            (ErrorKind::InvalidArgument, None)
        }
        _ => (ErrorKind::Io, None),
    }
}
