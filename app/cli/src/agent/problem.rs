//! Problems of the protocol as errors of this program, and the other way round.

use moorage_control::problem::{Problem, ProblemCode};
use moorage_model::{Error, ErrorKind};

use crate::failure::causes;

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

/// The error as clients of the protocol are told of it.
pub(crate) fn problem_of(error: &Error) -> Problem {
    let causes = causes(error);
    let code = code_of(error.kind());
    Problem {
        code,
        message: error.message().unwrap_or(error.kind().describe()).to_owned(),
        cause: (!causes.is_empty()).then(|| causes.join(": ")),
        advice: error
            .advice()
            .unwrap_or("Look at the cause, and try it again when that is mended.")
            .to_owned(),
        retryable: matches!(
            code,
            ProblemCode::Unreachable | ProblemCode::TimedOut | ProblemCode::DiskFull | ProblemCode::Internal
        ),
    }
}

fn code_of(kind: ErrorKind) -> ProblemCode {
    match kind {
        ErrorKind::InvalidArgument | ErrorKind::NotDirectory => ProblemCode::InvalidRequest,
        ErrorKind::NotFound | ErrorKind::DatabaseMissing | ErrorKind::NotFormatted => ProblemCode::NotFound,
        ErrorKind::Exists | ErrorKind::NotEmpty => ProblemCode::AlreadyExists,
        ErrorKind::Busy => ProblemCode::WrongState,
        ErrorKind::Unauthenticated => ProblemCode::Authentication,
        ErrorKind::AccessDenied | ErrorKind::NotPermitted | ErrorKind::ReadOnly => {
            ProblemCode::PermissionDenied
        }
        ErrorKind::Unavailable | ErrorKind::Conflict => ProblemCode::Unreachable,
        ErrorKind::Timeout => ProblemCode::TimedOut,
        ErrorKind::NoSpace => ProblemCode::DiskFull,
        ErrorKind::QuotaExceeded => ProblemCode::QuotaExceeded,
        ErrorKind::NotSupported => ProblemCode::NotSupported,
        ErrorKind::VersionMismatch => ProblemCode::VersionMismatch,
        _ => ProblemCode::Internal,
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
        ProblemCode::Unreachable | ProblemCode::AgentStopped => ErrorKind::Unavailable,
        ProblemCode::TimedOut => ErrorKind::Timeout,
        ProblemCode::DiskFull => ErrorKind::NoSpace,
        ProblemCode::QuotaExceeded => ErrorKind::QuotaExceeded,
        ProblemCode::PermissionDenied => ErrorKind::NotPermitted,
        ProblemCode::MountCrashed | ProblemCode::Internal => ErrorKind::Io,
    }
}
