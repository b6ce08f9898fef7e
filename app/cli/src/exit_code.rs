//! How a command ended, for scripts.

use moorage_model::ErrorKind;

/// A problem of no other kind.
pub(crate) const FAILURE: u8 = 1;
/// Arguments that make no sense.
pub(crate) const USAGE: u8 = 2;
/// Something named does not exist.
pub(crate) const NOT_FOUND: u8 = 3;
/// Something is in the way.
pub(crate) const IN_THE_WAY: u8 = 4;
/// Not allowed.
pub(crate) const DENIED: u8 = 5;
/// The database or the store does not answer.
pub(crate) const UNREACHABLE: u8 = 6;
/// Something is damaged, or a check found a problem.
pub(crate) const DAMAGED: u8 = 7;
/// No space, or a quota is used up.
pub(crate) const FULL: u8 = 8;
/// Not supported by this build or not for this client.
pub(crate) const UNSUPPORTED: u8 = 9;
/// Ctrl-C, as shells count it.
pub(crate) const INTERRUPTED: u8 = 130;
/// The end of every help text.
pub(crate) const TABLE: &str = "\
Exit codes:
  0    it worked
  1    it failed for a reason of no other code
  2    the arguments make no sense
  3    a file, volume, session or folder does not exist
  4    something exists already, is not empty or is in use
  5    not permitted: credentials, permission bits or a read-only place
  6    the database, the object store or the agent does not answer
  7    something is damaged, or a check found a problem
  8    no space left, or a quota is used up
  9    not supported by this build, or the volume asks for another version
  130  interrupted by Ctrl-C";

/// The code for a failure of this kind.
pub(crate) fn of(kind: ErrorKind) -> u8 {
    use ErrorKind::*;
    match kind {
        InvalidArgument | NameTooLong | OutOfRange | NotDirectory | IsDirectory => USAGE,
        NotFound | DatabaseMissing | NotFormatted | NoAttribute | Stale => NOT_FOUND,
        Exists | NotEmpty | Busy | Conflict | Deadlock | WouldBlock => IN_THE_WAY,
        AccessDenied | NotPermitted | Unauthenticated | ReadOnly => DENIED,
        Unavailable | Timeout => UNREACHABLE,
        Corrupt => DAMAGED,
        NoSpace | QuotaExceeded => FULL,
        NotSupported | VersionMismatch => UNSUPPORTED,
        Interrupted => INTERRUPTED,
        _ => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_table_of_the_help() {
        let kinds = [
            ErrorKind::Io,
            ErrorKind::InvalidArgument,
            ErrorKind::NotFound,
            ErrorKind::Exists,
            ErrorKind::AccessDenied,
            ErrorKind::Unavailable,
            ErrorKind::Corrupt,
            ErrorKind::NoSpace,
            ErrorKind::NotSupported,
            ErrorKind::Interrupted,
        ];
        for kind in kinds {
            let code = of(kind).to_string();
            let listed = TABLE
                .lines()
                .any(|line| line.split_whitespace().next() == Some(&code));
            assert!(listed, "{code} of {kind:?}");
        }
    }
}
