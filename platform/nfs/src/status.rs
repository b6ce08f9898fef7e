//! The one map from error kinds to the statuses of the protocol.

use moorage_model::{Error, ErrorKind};
use nfs3_types::nfs3::nfsstat3 as Status;

/// The status of a failed request. What the caller can not have caused is logged here, once.
pub(crate) fn status(request: &'static str, error: &Error) -> Status {
    let status = of_kind(error.kind());
    if status == Status::NFS3ERR_IO || error.kind() == ErrorKind::Unauthenticated {
        tracing::error!(request, %error, "a request failed");
    } else {
        tracing::debug!(request, %error, "a request was refused");
    }
    status
}

/// As [`status`], of a node asked for by its file handle: one that leads nowhere is stale, so that the client looks its name
/// up again.
pub(crate) fn by_handle(request: &'static str, error: &Error) -> Status {
    match status(request, error) {
        Status::NFS3ERR_NOENT => Status::NFS3ERR_STALE,
        status => status,
    }
}

/// "Jukebox" has the client ask again later, for as long as it takes: for what passes by itself alone. A store that does not
/// answer is an error within the time that the mount gives it.
fn of_kind(kind: ErrorKind) -> Status {
    use ErrorKind as Kind;
    match kind {
        Kind::NotFound => Status::NFS3ERR_NOENT,
        Kind::Exists => Status::NFS3ERR_EXIST,
        Kind::NotDirectory => Status::NFS3ERR_NOTDIR,
        Kind::IsDirectory => Status::NFS3ERR_ISDIR,
        Kind::NotEmpty => Status::NFS3ERR_NOTEMPTY,
        Kind::AccessDenied | Kind::Unauthenticated => Status::NFS3ERR_ACCES,
        Kind::NotPermitted => Status::NFS3ERR_PERM,
        Kind::InvalidArgument | Kind::NoAttribute | Kind::OutOfRange | Kind::NotTty => Status::NFS3ERR_INVAL,
        Kind::NameTooLong => Status::NFS3ERR_NAMETOOLONG,
        Kind::FileTooLarge => Status::NFS3ERR_FBIG,
        Kind::NoSpace => Status::NFS3ERR_NOSPC,
        Kind::QuotaExceeded => Status::NFS3ERR_DQUOT,
        Kind::ReadOnly => Status::NFS3ERR_ROFS,
        Kind::WouldBlock | Kind::Busy | Kind::Conflict | Kind::TooManyOpen => Status::NFS3ERR_JUKEBOX,
        Kind::NotSupported => Status::NFS3ERR_NOTSUPP,
        Kind::NoSuchAddress => Status::NFS3ERR_NXIO,
        Kind::TooManyLinks => Status::NFS3ERR_MLINK,
        // The handle that the server keeps open for the file, whose file is gone.
        Kind::Stale | Kind::BadHandle => Status::NFS3ERR_STALE,
        Kind::Interrupted
        | Kind::Deadlock
        | Kind::BrokenPipe
        | Kind::Timeout
        | Kind::Unavailable
        | Kind::Corrupt
        | Kind::DatabaseMissing
        | Kind::NotFormatted
        | Kind::VersionMismatch
        | Kind::Io => Status::NFS3ERR_IO,
        // The enum is non-exhaustive for other crates; a kind added later is an input/output error until it is here.
        _ => Status::NFS3ERR_IO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_from_a_full_volume_and_a_missing_name_from_a_missing_node() {
        assert_eq!(of_kind(ErrorKind::QuotaExceeded), Status::NFS3ERR_DQUOT);
        assert_eq!(of_kind(ErrorKind::NoSpace), Status::NFS3ERR_NOSPC);
        let gone = ErrorKind::NotFound.into();
        assert_eq!(status("lookup", &gone), Status::NFS3ERR_NOENT);
        assert_eq!(by_handle("getattr", &gone), Status::NFS3ERR_STALE);
    }

    #[test]
    fn a_store_that_does_not_answer_is_no_reason_to_ask_for_ever() {
        for kind in [ErrorKind::Timeout, ErrorKind::Unavailable] {
            assert_eq!(of_kind(kind), Status::NFS3ERR_IO);
        }
        assert_eq!(of_kind(ErrorKind::Conflict), Status::NFS3ERR_JUKEBOX);
    }
}
