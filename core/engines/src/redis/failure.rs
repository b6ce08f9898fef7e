//! What a failed request means.

use moorage_model::{Error, ErrorKind};
use redis::{RedisError, ServerErrorKind};

use super::address::{Address, Servers};

const LOGIN_ADVICE: &str = "Check user and password in the metadata URL, or META_PASSWORD.";

/// What a server says of a key that holds another type than the command needs.
pub(super) const WRONG_TYPE: &str = "WRONGTYPE";

/// Whether the same request may succeed in a moment: the connection broke or the server is on its way.
pub(super) fn is_passing(error: &RedisError) -> bool {
    let starting = matches!(
        error.kind(),
        redis::ErrorKind::Server(
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
        ) | redis::ErrorKind::ClusterConnectionNotFound
            | redis::ErrorKind::MasterNameNotFoundBySentinel
    );
    starting || error.is_io_error()
}

/// Whether the server has stopped being the master.
pub(super) fn is_demoted(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        redis::ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    )
}

/// The failure of a request to this address.
pub(super) fn failure(address: &Address, error: &RedisError) -> Error {
    let code = code(error);
    let (kind, advice) = match error.kind() {
        redis::ErrorKind::Server(ServerErrorKind::ReadOnly) => (
            ErrorKind::ReadOnly,
            "The server is a replica; write the address of its master.",
        ),
        redis::ErrorKind::Server(ServerErrorKind::NoPerm) => (
            ErrorKind::Unauthenticated,
            "Give the user all commands on all keys of the database (ACL SETUSER).",
        ),
        redis::ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown) => (
            ErrorKind::Unavailable,
            "The server is starting; try again in a moment.",
        ),
        redis::ErrorKind::Server(ServerErrorKind::ClusterDown | ServerErrorKind::TryAgain)
        | redis::ErrorKind::ClusterConnectionNotFound => (
            ErrorKind::Unavailable,
            "The cluster has no master for the volume; look at CLUSTER INFO.",
        ),
        redis::ErrorKind::MasterNameNotFoundBySentinel => (
            ErrorKind::Unavailable,
            "No sentinel knows a master of that name; check the name and look at SENTINEL MASTERS.",
        ),
        _ if is_refused_login(error) => (ErrorKind::Unauthenticated, LOGIN_ADVICE),
        _ if code == "OOM" => (
            ErrorKind::NoSpace,
            "The server has no memory left; raise maxmemory.",
        ),
        _ if code == "MISCONF" => (
            ErrorKind::Io,
            "The server can not save its data; look at its log and disk.",
        ),
        _ if code == "NOREPLICAS" => (
            ErrorKind::Unavailable,
            "The server waits for its replicas (min-replicas-to-write).",
        ),
        _ if code == WRONG_TYPE => (
            ErrorKind::Corrupt,
            "A key of the volume holds another type; run `moorage fsck`.",
        ),
        _ if error.is_timeout() && address.tls => (
            ErrorKind::Timeout,
            "Check that the server is reachable and speaks TLS on this port; else the URL begins with redis://.",
        ),
        _ if error.is_timeout() => (ErrorKind::Timeout, "Check that the server is reachable."),
        _ if is_refused_certificate(error) => (
            ErrorKind::Unauthenticated,
            "The certificate of the server is not accepted: name its authority with tls-ca-cert-file, and the server \
             as the certificate does.",
        ),
        _ if error.is_io_error() => (ErrorKind::Unavailable, unreachable_advice(address, error)),
        _ => (ErrorKind::Io, ""),
    };
    let failure = Error::new(kind, format!("Redis {}", address.shown)).with_source(error.clone());
    if advice.is_empty() {
        failure
    } else {
        failure.with_advice(advice)
    }
}

/// The first word of what the server said, also inside a pipeline.
fn code(error: &RedisError) -> String {
    if let Some(code) = error.code() {
        return code.to_owned();
    }
    let errors = error.clone().into_server_errors();
    let first = errors.as_ref().and_then(|errors| errors.first());
    first.map_or_else(String::new, |(_, error)| error.code().to_owned())
}

/// Whether the server wants another user or password.
pub(super) fn is_refused_login(error: &RedisError) -> bool {
    // Of a refused SELECT, with which a connection to another database than 0 begins, the library keeps the text alone.
    let in_text = || error.to_string().contains("Authentication required");
    error.kind() == redis::ErrorKind::AuthenticationFailed
        || in_text()
        || matches!(code(error).as_str(), "NOAUTH" | "WRONGPASS")
}

/// Whether the server refused the connection in its first words: the login or the choice of the database.
pub(super) fn is_refused_connection(error: &RedisError) -> bool {
    is_refused_login(error) || error.to_string().contains("refused to switch database")
}

/// The library keeps the cause as text only.
fn is_refused_certificate(error: &RedisError) -> bool {
    error.is_io_error() && error.to_string().contains("invalid peer certificate")
}

fn unreachable_advice(address: &Address, error: &RedisError) -> &'static str {
    let refused = error.is_connection_refusal();
    match (&address.servers, address.tls) {
        (_, true) if !refused => {
            "Check that the server runs, speaks TLS on this port, and accepts the certificate of this client (tls-cert-file)."
        }
        (Servers::One(_) | Servers::Sentinel(..) | Servers::Cluster(_), false) if !refused => {
            "Check that the server runs and is reachable; where it wants TLS, the URL begins with rediss://."
        }
        _ => "Check that the server runs and is reachable.",
    }
}
