//! What an error says of the change that it answers.

use crate::error::Origin;
use crate::{Error, ErrorKind};

/// What became of a change that was answered with an error, and whether to ask for it again.
///
/// Whoever holds written data decides by this alone whether to keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A rule of the file system or a limit of the volume forbids it: nothing was changed, and the same change is
    /// refused again.
    Refused,
    /// The database or the store does not serve it: it is missing, full, read-only or closed to this client. Nothing was
    /// changed, and the same change may be made once that is mended.
    NotServed,
    /// Nobody knows whether it was made; the records tell once they can be read.
    Unknown,
}

impl ErrorKind {
    /// The verdict of an error of this kind that a verb answers; of one that came from below a verb [`Error::verdict`]
    /// knows more.
    fn verdict(self) -> Verdict {
        use ErrorKind::*;
        match self {
            NotFound | Exists | NotDirectory | IsDirectory | NotEmpty | AccessDenied | NotPermitted
            | InvalidArgument | NameTooLong | FileTooLarge | NoSpace | QuotaExceeded | NotSupported
            | NoAttribute | OutOfRange | BrokenPipe | BadHandle | NoSuchAddress | TooManyLinks | NotTty
            | Stale => Verdict::Refused,
            ReadOnly | WouldBlock | Deadlock | Busy | TooManyOpen | Conflict | DatabaseMissing
            | Unauthenticated | NotFormatted | VersionMismatch => Verdict::NotServed,
            Interrupted | Timeout | Unavailable | Corrupt | Io => Verdict::Unknown,
        }
    }
}

impl Error {
    /// What became of the change that this answers.
    pub fn verdict(&self) -> Verdict {
        match (self.kind().verdict(), self.origin()) {
            (_, Origin::LostCommit) => Verdict::Unknown,
            // A value that the database has no place for stays without one.
            (Verdict::Refused, Origin::Service) if self.kind() != ErrorKind::InvalidArgument => {
                Verdict::NotServed
            }
            (verdict, _) => verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_rule_forbids_is_refused_for_good() {
        for kind in [ErrorKind::NotFound, ErrorKind::AccessDenied, ErrorKind::NoSpace] {
            assert_eq!(Error::from(kind).verdict(), Verdict::Refused, "{kind:?}");
            let below = Error::from(kind).of_service().context("a verb");
            assert_eq!(below.verdict(), Verdict::NotServed, "{kind:?}");
        }
        let lost = Error::from(ErrorKind::ReadOnly).of_lost_commit().of_service();
        assert_eq!(lost.verdict(), Verdict::Unknown, "it may have been made before");
        let value = Error::new(ErrorKind::InvalidArgument, "too large").of_service();
        assert_eq!(value.verdict(), Verdict::Refused);
        let broken = Error::from(ErrorKind::Unavailable).of_service();
        assert_eq!(broken.verdict(), Verdict::Unknown);
    }
}
