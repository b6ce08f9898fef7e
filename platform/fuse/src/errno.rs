//! The one map from error kinds to errno.

use fuser::Errno;
use moorage_model::{Error, ErrorKind, Result};

/// The errno of a failed request. What the caller cannot have caused is logged here, once.
pub(crate) fn errno(request: &'static str, error: &Error) -> Errno {
    let number = of_kind(error.kind());
    if number.code() == libc::EIO || matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unauthenticated) {
        tracing::error!(request, %error, "a request failed");
    } else {
        tracing::debug!(request, %error, "a request was refused");
    }
    number
}

/// Says of a node asked for by its number that the number, not a name, leads nowhere any more.
///
/// The kernel holds a name for some time and then asks by number; meanwhile another client may have replaced the file.
/// ESTALE makes it look the name up once more (its `LOOKUP_REVAL`), where ENOENT would reach the caller
/// although the name was there at every moment.
pub(crate) fn by_number<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::from(ErrorKind::Stale).with_source(error),
        _ => error,
    })
}

/// `Conflict` is what is left when an engine gave up retrying: the caller may try again.
fn of_kind(kind: ErrorKind) -> Errno {
    use ErrorKind as Kind;
    match kind {
        Kind::NotFound => Errno::ENOENT,
        Kind::Exists => Errno::EEXIST,
        Kind::NotDirectory => Errno::ENOTDIR,
        Kind::IsDirectory => Errno::EISDIR,
        Kind::NotEmpty => Errno::ENOTEMPTY,
        Kind::AccessDenied | Kind::Unauthenticated => Errno::EACCES,
        Kind::NotPermitted => Errno::EPERM,
        Kind::InvalidArgument => Errno::EINVAL,
        Kind::NameTooLong => Errno::ENAMETOOLONG,
        Kind::FileTooLarge => Errno::EFBIG,
        Kind::NoSpace => Errno::ENOSPC,
        Kind::QuotaExceeded => Errno::EDQUOT,
        Kind::ReadOnly => Errno::EROFS,
        Kind::WouldBlock => Errno::EAGAIN,
        Kind::Interrupted => Errno::EINTR,
        Kind::Deadlock => Errno::EDEADLK,
        Kind::NotSupported => Errno::ENOTSUP,
        Kind::NoAttribute => Errno::ENODATA,
        Kind::OutOfRange => Errno::ERANGE,
        Kind::BrokenPipe => Errno::EPIPE,
        Kind::BadHandle => Errno::EBADF,
        Kind::NoSuchAddress => Errno::ENXIO,
        Kind::TooManyLinks => Errno::EMLINK,
        Kind::NotTty => Errno::ENOTTY,
        Kind::Busy | Kind::Conflict => Errno::EBUSY,
        Kind::Stale => Errno::ESTALE,
        Kind::TooManyOpen => Errno::EMFILE,
        Kind::Timeout => Errno::ETIMEDOUT,
        Kind::Unavailable
        | Kind::Corrupt
        | Kind::DatabaseMissing
        | Kind::NotFormatted
        | Kind::VersionMismatch
        | Kind::Io => Errno::EIO,
        // The enum is non-exhaustive for other crates; a kind added later is an input/output error until it is here.
        _ => Errno::EIO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_attribute_is_not_a_missing_file() {
        assert_eq!(of_kind(ErrorKind::NoAttribute).code(), libc::ENODATA);
        assert_eq!(of_kind(ErrorKind::NotFound).code(), libc::ENOENT);
    }

    #[test]
    fn a_number_that_leads_nowhere_is_stale() {
        let gone: Result<()> = by_number(Err(ErrorKind::NotFound.into()));
        assert_eq!(
            gone.map_err(|error| of_kind(error.kind()).code()),
            Err(libc::ESTALE)
        );
    }

    #[test]
    fn an_exhausted_conflict_may_be_tried_again() {
        assert_eq!(of_kind(ErrorKind::Conflict).code(), libc::EBUSY);
    }
}
