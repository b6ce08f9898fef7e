//! Error numbers of answers.

use moorage_model::ErrorKind;

/// The number that says this in an answer: errno of Linux, on every platform.
pub fn error_number(kind: ErrorKind) -> u8 {
    use ErrorKind as Kind;
    match kind {
        Kind::NotPermitted => 1,
        Kind::NotFound => 2,
        Kind::Interrupted => 4,
        Kind::NoSuchAddress => 6,
        Kind::BadHandle => 9,
        Kind::WouldBlock => 11,
        Kind::AccessDenied | Kind::Unauthenticated => 13,
        Kind::Busy | Kind::Conflict => 16,
        Kind::Exists => 17,
        Kind::NotDirectory => 20,
        Kind::IsDirectory => 21,
        Kind::InvalidArgument => 22,
        Kind::TooManyOpen => 24,
        Kind::NotTty => 25,
        Kind::FileTooLarge => 27,
        Kind::NoSpace => 28,
        Kind::ReadOnly => 30,
        Kind::TooManyLinks => 31,
        Kind::BrokenPipe => 32,
        Kind::OutOfRange => 34,
        Kind::Deadlock => 35,
        Kind::NameTooLong => 36,
        Kind::NotEmpty => 39,
        Kind::NoAttribute => 61,
        Kind::NotSupported => 95,
        Kind::Timeout => 110,
        Kind::Stale => 116,
        Kind::QuotaExceeded => 122,
        // EIO, also for a kind added later until it is here.
        _ => 5,
    }
}
