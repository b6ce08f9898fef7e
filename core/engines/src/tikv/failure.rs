//! What a failed request means.

use std::fmt::Display;

use moorage_model::{Error, ErrorKind};
use tikv_client::{ProtoKeyError, ProtoRegionError};

const UNREACHABLE_ADVICE: &str = "Check that the placement drivers and the TiKV servers run and are reachable under the addresses that they advertise.";
const TLS_ADVICE: &str = "Check the files of ca, cert and key, and that the cluster uses TLS.";

/// Whether the same request may succeed in a moment: a server is not reachable, or not yet in charge of the keys.
pub(super) fn is_passing(error: &tikv_client::Error) -> bool {
    use tikv_client::Error as E;
    match error {
        E::Grpc(_)
        | E::Io(_)
        | E::Channel(_)
        | E::Canceled(_)
        | E::LeaderNotFound { .. }
        | E::RegionForKeyNotFound { .. }
        | E::RegionForRangeNotFound { .. }
        | E::RegionNotFoundInResponse { .. }
        | E::EntryNotFoundInRegionCache
        | E::NoCurrentRegions => true,
        E::GrpcAPI(status) => {
            use tonic_code as code;
            let number = status.code() as i32;
            matches!(
                number,
                code::CANCELLED
                    | code::UNKNOWN
                    | code::DEADLINE_EXCEEDED
                    | code::INTERNAL
                    | code::UNAVAILABLE
            )
        }
        E::RegionError(region) => region.disk_full.is_none() && region.raft_entry_too_large.is_none(),
        // What the library says of a closed channel to a placement driver.
        E::InternalError { .. } => true,
        E::UndeterminedError(inner) => is_passing(inner),
        E::MultipleKeyErrors(errors) | E::ExtractedErrors(errors) => {
            !errors.is_empty() && errors.iter().all(is_passing)
        }
        _ => false,
    }
}

/// Whether the request was not sent at all: no connection was made to the store that leads its region. The library goes
/// on to take that store for the leader, as long as the client lives, so that only a new client finds another one.
pub(super) fn is_unconnected(error: &tikv_client::Error) -> bool {
    use tikv_client::Error as E;
    match error {
        E::Grpc(_) => true,
        E::UndeterminedError(inner) => is_unconnected(inner),
        _ => false,
    }
}

/// Numbers of gRPC status codes.
mod tonic_code {
    pub(super) const CANCELLED: i32 = 1;
    pub(super) const UNKNOWN: i32 = 2;
    pub(super) const DEADLINE_EXCEEDED: i32 = 4;
    pub(super) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(super) const INTERNAL: i32 = 13;
    pub(super) const UNAVAILABLE: i32 = 14;
    pub(super) const UNAUTHENTICATED: i32 = 16;
    pub(super) const PERMISSION_DENIED: i32 = 7;
}

/// What servers said of single keys.
pub(super) fn key_errors(error: &tikv_client::Error) -> Vec<&ProtoKeyError> {
    use tikv_client::Error as E;
    match error {
        E::KeyError(error) => vec![error],
        E::MultipleKeyErrors(errors) | E::ExtractedErrors(errors) => {
            errors.iter().flat_map(key_errors).collect()
        }
        E::UndeterminedError(inner) => key_errors(inner),
        _ => Vec::new(),
    }
}

/// Whether a lock was met whose transaction the servers do not know.
pub(super) fn is_orphan_lock(error: &tikv_client::Error) -> bool {
    matches!(error, tikv_client::Error::TxnNotFound(_))
        || key_errors(error)
            .iter()
            .any(|error| error.txn_not_found.is_some())
}

/// What a server said of a region.
fn region_error(error: &tikv_client::Error) -> Option<&ProtoRegionError> {
    use tikv_client::Error as E;
    match error {
        E::RegionError(error) => Some(error),
        E::MultipleKeyErrors(errors) | E::ExtractedErrors(errors) => errors.iter().find_map(region_error),
        E::UndeterminedError(inner) => region_error(inner),
        _ => None,
    }
}

/// The failure of a request to a cluster.
pub(super) fn failure(place: &impl Display, error: &tikv_client::Error) -> Error {
    let (kind, advice) = meaning(error);
    // The library prints whole messages of the protocol with all keys; its kind and the place say more.
    let said = error.to_string();
    let short: String = said.chars().take(MAX_SAID).collect();
    let failed = Error::new(kind, format!("TiKV {place}: {short}"));
    if advice.is_empty() {
        failed
    } else {
        failed.with_advice(advice)
    }
}

/// Characters kept of what the client library says.
const MAX_SAID: usize = 300;

fn meaning(error: &tikv_client::Error) -> (ErrorKind, &'static str) {
    use tikv_client::Error as E;
    if let Some(region) = region_error(error) {
        return if region.disk_full.is_some() {
            (ErrorKind::NoSpace, "A disk of the TiKV servers is full.")
        } else if region.raft_entry_too_large.is_some() {
            (
                ErrorKind::InvalidArgument,
                "A record is larger than the servers accept (raft-entry-max-size).",
            )
        } else {
            (ErrorKind::Unavailable, UNREACHABLE_ADVICE)
        };
    }
    match error {
        E::GrpcAPI(status) => match status.code() as i32 {
            tonic_code::UNAUTHENTICATED | tonic_code::PERMISSION_DENIED => {
                (ErrorKind::Unauthenticated, TLS_ADVICE)
            }
            tonic_code::RESOURCE_EXHAUSTED => {
                (ErrorKind::Io, "An answer is larger than this client accepts.")
            }
            tonic_code::DEADLINE_EXCEEDED | tonic_code::CANCELLED => (ErrorKind::Timeout, UNREACHABLE_ADVICE),
            _ => (ErrorKind::Unavailable, UNREACHABLE_ADVICE),
        },
        E::ResolveLockError(_) => (
            ErrorKind::Timeout,
            "Another client keeps a transaction open on the same records.",
        ),
        E::KeyError(_) | E::MultipleKeyErrors(_) => (ErrorKind::Io, ""),
        error if is_passing(error) => (ErrorKind::Unavailable, UNREACHABLE_ADVICE),
        _ => (ErrorKind::Io, ""),
    }
}
