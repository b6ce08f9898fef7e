//! MySQL's failures as errors that say what to do.

use moorage_model::{Error, ErrorKind};
use mysql_async::{DriverError, Error as Cause, IoError};

use super::address::Address;
use crate::sql::{Failure, Reason};

/// A comparison that found something else: its subquery has two rows.
const SUBQUERY_ROWS: u16 = 1242;
/// The table does not exist.
const NO_SUCH_TABLE: u16 = 1146;

fn code(error: &Cause) -> Option<u16> {
    match error {
        Cause::Server(answer) => Some(answer.code),
        _ => None,
    }
}

/// Whether the table that a query names does not exist.
pub(super) fn is_missing_table(error: &Cause) -> bool {
    code(error) == Some(NO_SUCH_TABLE)
}

/// Whether the connection broke, so that a query can be sent again on another one.
pub(super) fn is_broken(error: &Cause) -> bool {
    match error {
        Cause::Io(_) => encryption(error).is_none(),
        Cause::Driver(DriverError::ConnectionClosed | DriverError::PoolDisconnected) => true,
        // Shutdown in progress, too many connections, killed, gone away, the network, idle for too long.
        Cause::Server(answer) => matches!(
            answer.code,
            1053 | 1040 | 1317 | 1927 | 2006 | 2013 | 1158..=1161 | 4031
        ),
        _ => false,
    }
}

/// What the two sides could not agree on when they began to encrypt.
fn encryption(error: &Cause) -> Option<&(dyn std::error::Error + 'static)> {
    match error {
        Cause::Io(IoError::Tls(cause)) => Some(cause),
        // What is inside an error of input and output is not its source.
        Cause::Io(IoError::Io(io)) => io
            .get_ref()?
            .downcast_ref::<rustls::Error>()
            .map(|cause| cause as _),
        _ => None,
    }
}

/// What a failed request means; `sent` says that it changes something and was sent.
pub(super) fn failure(address: &Address, error: Cause, statement: Option<usize>, sent: bool) -> Failure {
    let (kind, advice) = meaning(address, &error);
    let reason = match code(&error) {
        Some(1054) => Reason::MissingColumn,
        _ if kind == ErrorKind::Conflict => Reason::Conflict,
        _ if sent && is_broken(&error) => Reason::Unknown,
        _ => Reason::Refused,
    };
    let detail = match &error {
        Cause::Server(answer) => format!("MySQL {}: {}", address.shown, answer.message),
        _ => format!("MySQL {}", address.shown),
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

fn meaning(address: &Address, error: &Cause) -> (ErrorKind, Option<String>) {
    let says = |kind: ErrorKind, advice: &str| (kind, Some(advice.to_owned()));
    let Some(code) = code(error) else {
        if matches!(error, Cause::Driver(DriverError::NoClientSslFlagFromServer)) {
            return says(
                ErrorKind::Unauthenticated,
                "The server does not encrypt: give it a certificate, or leave tls out of the metadata URL where the \
                 network may be trusted.",
            );
        }
        if encryption(error).is_some() {
            return says(
                ErrorKind::Unauthenticated,
                "The certificate of the server is not accepted, or it wants one of this client: name its authority with \
                 tls-ca-cert-file and the host as it stands in the certificate, or tls-cert-file and tls-key-file.",
            );
        }
        return if is_broken(error) {
            says(
                ErrorKind::Unavailable,
                "Check that the server runs and is reachable.",
            )
        } else {
            (ErrorKind::Io, None)
        };
    };
    match code {
        // A comparison, a duplicate, a lock wait, a deadlock, a record changed since the last read.
        SUBQUERY_ROWS | 1062 | 1205 | 1213 | 1020 => (ErrorKind::Conflict, None),
        // Two clients that make one table: table, column, index exist.
        1050 | 1060 | 1061 => (ErrorKind::Conflict, None),
        3159 => says(
            ErrorKind::Unauthenticated,
            "The server takes encrypted connections only: add tls=true to the metadata URL.",
        ),
        1045 | 1698 | 1251 | 1275 => says(
            ErrorKind::Unauthenticated,
            "Check user, password and tls in the metadata URL, or META_PASSWORD, and the grants of the user.",
        ),
        1044 | 1142 | 1143 | 1227 => (
            ErrorKind::AccessDenied,
            Some(format!(
                "Give the user all rights on the database: GRANT ALL ON {}.* TO the user.",
                address.database
            )),
        ),
        1049 => (
            ErrorKind::DatabaseMissing,
            Some(format!(
                "Make it with CREATE DATABASE {}, or correct the metadata URL.",
                address.database
            )),
        ),
        NO_SUCH_TABLE => says(
            ErrorKind::DatabaseMissing,
            "The tables of the volume are gone: somebody dropped or moved them.",
        ),
        1290 | 1792 | 1836 => says(
            ErrorKind::ReadOnly,
            "The server is a replica or read-only; write the address of the primary.",
        ),
        1021 | 1114 => says(
            ErrorKind::NoSpace,
            "Free some space on the disk of the server, or enlarge its table space.",
        ),
        1037 | 1041 => says(ErrorKind::NoSpace, "The server has no memory left."),
        1040 | 1203 | 1226 => says(
            ErrorKind::Unavailable,
            "Raise max_connections of the server, or lower max_open_conns in the metadata URL.",
        ),
        1969 | 3024 => says(
            ErrorKind::Timeout,
            "The server ended the statement; raise max_statement_time of the user.",
        ),
        1053 | 1317 | 1927 | 1158..=1161 | 4031 => says(
            ErrorKind::Unavailable,
            "The server is starting, stopping or ends connections; try again in a moment.",
        ),
        1264 => says(
            ErrorKind::InvalidArgument,
            "MySQL volumes hold users, groups and devices below 2^31.",
        ),
        1300 | 1366 => says(
            ErrorKind::InvalidArgument,
            "MySQL volumes hold names of extended attributes as UTF-8 text.",
        ),
        1406 => says(
            ErrorKind::InvalidArgument,
            "MySQL volumes hold values of at most 65535 bytes.",
        ),
        _ => (ErrorKind::Io, None),
    }
}
