//! Problems of the protocol as errors of this program.

use moorage_control::problem::{Problem, ProblemCode};
use moorage_model::{Error, ErrorKind};

/// The problem with its cause and its advice.
pub(crate) fn error_of(problem: impl Into<Problem>) -> Error {
    let problem = problem.into();
    let error = Error::new(kind_of(problem.code), problem.message);
    let error = match problem.cause {
        Some(cause) => error.with_source(std::io::Error::other(cause)),
        None => error,
    };
    if problem.advice.is_empty() {
        error
    } else {
        error.with_advice(problem.advice)
    }
}

fn kind_of(code: ProblemCode) -> ErrorKind {
    match code {
        ProblemCode::VersionMismatch => ErrorKind::VersionMismatch,
        ProblemCode::InvalidRequest => ErrorKind::InvalidArgument,
        ProblemCode::NotFound => ErrorKind::NotFound,
        ProblemCode::AlreadyExists => ErrorKind::Exists,
        ProblemCode::WrongState | ProblemCode::MountPointBusy => ErrorKind::Busy,
        ProblemCode::DriverMissing | ProblemCode::NotSupported => ErrorKind::NotSupported,
        ProblemCode::KeyringLocked
        | ProblemCode::KeyringMissing
        | ProblemCode::SecretMissing
        | ProblemCode::Authentication => ErrorKind::Unauthenticated,
        ProblemCode::Unreachable => ErrorKind::Unavailable,
        ProblemCode::TimedOut => ErrorKind::Timeout,
        ProblemCode::DiskFull => ErrorKind::NoSpace,
        ProblemCode::QuotaExceeded => ErrorKind::QuotaExceeded,
        ProblemCode::PermissionDenied => ErrorKind::NotPermitted,
        ProblemCode::MountCrashed | ProblemCode::Internal => ErrorKind::Io,
    }
}
