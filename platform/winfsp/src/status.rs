//! The one map from error kinds to NTSTATUS.

use moorage_model::{Error, ErrorKind};
use winfsp::FspError;

/// A status of the system (ntstatus.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(u32);

impl Status {
    pub(crate) const END_OF_FILE: Status = Status(0xC000_0011);
    pub(crate) const INVALID_PARAMETER: Status = Status(0xC000_000D);
    pub(crate) const INVALID_DEVICE_REQUEST: Status = Status(0xC000_0010);
    pub(crate) const ACCESS_DENIED: Status = Status(0xC000_0022);
    pub(crate) const OBJECT_NAME_NOT_FOUND: Status = Status(0xC000_0034);
    pub(crate) const OBJECT_NAME_COLLISION: Status = Status(0xC000_0035);
    pub(crate) const OBJECT_PATH_NOT_FOUND: Status = Status(0xC000_003A);
    pub(crate) const INVALID_OWNER: Status = Status(0xC000_005A);
    pub(crate) const DIRECTORY_NOT_EMPTY: Status = Status(0xC000_0101);
    pub(crate) const NOT_A_DIRECTORY: Status = Status(0xC000_0103);
    pub(crate) const CANNOT_DELETE: Status = Status(0xC000_0121);
    pub(crate) const BUFFER_TOO_SMALL: Status = Status(0xC000_0023);
    pub(crate) const NOT_SUPPORTED: Status = Status(0xC000_00BB);
    pub(crate) const NOT_A_REPARSE_POINT: Status = Status(0xC000_0275);
    pub(crate) const IO_REPARSE_DATA_INVALID: Status = Status(0xC000_0278);
    pub(crate) const IO_REPARSE_TAG_NOT_HANDLED: Status = Status(0xC000_0279);

    /// The answer to a request that failed. What the caller cannot have caused is logged here, once.
    pub(crate) fn of(request: &'static str, error: &Error) -> Status {
        let status = of_kind(error.kind());
        if matches!(
            status,
            IO_DEVICE_ERROR | DATA_ERROR | UNEXPECTED_NETWORK_ERROR | IO_TIMEOUT
        ) {
            tracing::error!(request, %error, "a request failed");
        } else {
            tracing::debug!(request, %error, "a request was refused");
        }
        status
    }
}

impl From<Status> for FspError {
    fn from(status: Status) -> FspError {
        FspError::NTSTATUS(status.0.cast_signed())
    }
}

const IO_DEVICE_ERROR: Status = Status(0xC000_0185);
const DATA_ERROR: Status = Status(0xC000_003E);
const UNEXPECTED_NETWORK_ERROR: Status = Status(0xC000_00C4);
const IO_TIMEOUT: Status = Status(0xC000_00B5);

/// `Busy` and `Conflict` are what programs know as a file that another one has open: they try again.
fn of_kind(kind: ErrorKind) -> Status {
    use ErrorKind as Kind;
    match kind {
        Kind::NotFound => Status::OBJECT_NAME_NOT_FOUND,
        Kind::Exists => Status::OBJECT_NAME_COLLISION,
        Kind::NotDirectory => Status::NOT_A_DIRECTORY,
        // FILE_IS_A_DIRECTORY
        Kind::IsDirectory => Status(0xC000_00BA),
        Kind::NotEmpty => Status::DIRECTORY_NOT_EMPTY,
        Kind::AccessDenied | Kind::NotPermitted | Kind::Unauthenticated => Status::ACCESS_DENIED,
        Kind::InvalidArgument => Status::INVALID_PARAMETER,
        // NAME_TOO_LONG
        Kind::NameTooLong => Status(0xC000_0106),
        // FILE_TOO_LARGE
        Kind::FileTooLarge => Status(0xC000_0904),
        // DISK_FULL
        Kind::NoSpace => Status(0xC000_007F),
        // DISK_QUOTA_EXCEEDED
        Kind::QuotaExceeded => Status(0xC000_0802),
        // MEDIA_WRITE_PROTECTED
        Kind::ReadOnly => Status(0xC000_00A2),
        // CANT_WAIT
        Kind::WouldBlock => Status(0xC000_00D8),
        // CANCELLED
        Kind::Interrupted => Status(0xC000_0120),
        // POSSIBLE_DEADLOCK
        Kind::Deadlock => Status(0xC000_0194),
        Kind::NotSupported => Status::NOT_SUPPORTED,
        // NONEXISTENT_EA_ENTRY
        Kind::NoAttribute => Status(0xC000_0051),
        // EA_TOO_LARGE
        Kind::OutOfRange => Status(0xC000_0050),
        // PIPE_BROKEN
        Kind::BrokenPipe => Status(0xC000_014B),
        // INVALID_HANDLE
        Kind::BadHandle => Status(0xC000_0008),
        Kind::NoSuchAddress => Status::END_OF_FILE,
        // TOO_MANY_LINKS
        Kind::TooManyLinks => Status(0xC000_0265),
        Kind::NotTty => Status::INVALID_DEVICE_REQUEST,
        // SHARING_VIOLATION
        Kind::Busy | Kind::Conflict => Status(0xC000_0043),
        // FILE_INVALID: the volume of an open file has changed under it.
        Kind::Stale => Status(0xC000_0098),
        // TOO_MANY_OPENED_FILES
        Kind::TooManyOpen => Status(0xC000_011F),
        Kind::Timeout => IO_TIMEOUT,
        Kind::Unavailable => UNEXPECTED_NETWORK_ERROR,
        Kind::Corrupt => DATA_ERROR,
        Kind::DatabaseMissing | Kind::NotFormatted | Kind::VersionMismatch | Kind::Io => IO_DEVICE_ERROR,
        // The enum is non-exhaustive for other crates; a kind added later is an error of the device until it is here.
        _ => IO_DEVICE_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every answer is an error to the system, whose severity stands in the two highest bits.
    #[test]
    fn every_kind_is_an_error() {
        use ErrorKind as Kind;
        for kind in [
            Kind::NotFound,
            Kind::Exists,
            Kind::NotDirectory,
            Kind::IsDirectory,
            Kind::NotEmpty,
            Kind::AccessDenied,
            Kind::NotPermitted,
            Kind::InvalidArgument,
            Kind::NameTooLong,
            Kind::FileTooLarge,
            Kind::NoSpace,
            Kind::QuotaExceeded,
            Kind::ReadOnly,
            Kind::WouldBlock,
            Kind::Interrupted,
            Kind::Deadlock,
            Kind::NotSupported,
            Kind::NoAttribute,
            Kind::OutOfRange,
            Kind::BrokenPipe,
            Kind::BadHandle,
            Kind::NoSuchAddress,
            Kind::TooManyLinks,
            Kind::NotTty,
            Kind::Busy,
            Kind::Stale,
            Kind::TooManyOpen,
            Kind::Conflict,
            Kind::Timeout,
            Kind::Unavailable,
            Kind::Corrupt,
            Kind::DatabaseMissing,
            Kind::Unauthenticated,
            Kind::NotFormatted,
            Kind::VersionMismatch,
            Kind::Io,
        ] {
            assert_eq!(of_kind(kind).0 >> 30, 0b11, "{kind:?}");
        }
        assert_eq!(of_kind(Kind::NoSpace), Status(0xC000_007F), "the disk is full");
        assert_eq!(of_kind(Kind::AccessDenied), Status::ACCESS_DENIED);
    }
}
