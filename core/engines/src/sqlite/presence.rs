//! Whether the database file is there, and is still the one that was there.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use moorage_model::{Error, ErrorKind, Result};

/// What tells one file from another that takes its name later.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// On Windows a file that is open keeps its name.
#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity;

/// Remembers the file that was found first. A file that was never there reads as an empty database; one that was is
/// missed when it is gone, since answering for it with nothing would show empty folders and files of zeros.
#[derive(Debug, Default)]
pub(super) struct Presence {
    found: OnceLock<Identity>,
}

impl Presence {
    /// Whether the file is there. One system call.
    ///
    /// # Errors
    /// `DatabaseMissing` when it was there before and can not be reached now, or is another file; of one that nobody has
    /// found yet `AccessDenied` when this user may not look, `Io` when nothing tells.
    pub(super) fn look(&self, path: &Path) -> Result<bool> {
        let now = match fs::metadata(path) {
            Ok(file) => identity(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.found.get().is_none() => {
                return Ok(false);
            }
            Err(error) => return Err(self.away(error)),
        };
        if *self.found.get_or_init(|| now) == now {
            return Ok(true);
        }
        Err(Error::new(
            ErrorKind::DatabaseMissing,
            "another file has taken its place since it was opened",
        )
        .with_advice("Unmount the volume, and mount it again when the right file is there."))
    }

    fn away(&self, error: io::Error) -> Error {
        let (kind, what, advice) = match (self.found.get(), error.kind()) {
            (Some(_), _) => (
                ErrorKind::DatabaseMissing,
                "it was there and can not be reached any more",
                "Bring its disk or folder back to where it was; what is mounted goes on then.",
            ),
            (None, io::ErrorKind::PermissionDenied) => (
                ErrorKind::AccessDenied,
                "a folder of its path is closed to this user",
                "Run the command as the user who owns the database, or have the folder opened to this user.",
            ),
            (None, _) => (
                ErrorKind::Io,
                "whether it is there is not known",
                "Look at the disk that the path names.",
            ),
        };
        Error::new(kind, what).with_source(error).with_advice(advice)
    }
}

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    Identity {
        device: file.dev(),
        inode: file.ino(),
    }
}

#[cfg(not(unix))]
fn identity(_file: &fs::Metadata) -> Identity {
    Identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_there_is_missed_and_another_one_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let [path, aside] = ["volume.db", "aside"].map(|name| folder.path().join(name));
        let presence = Presence::default();
        assert!(!presence.look(&path).unwrap());
        fs::write(&path, "").unwrap();
        assert!(presence.look(&path).unwrap());
        fs::rename(&path, &aside).unwrap();
        let kind = |presence: &Presence| presence.look(&path).map_err(|error| error.kind());
        assert_eq!(kind(&presence), Err(ErrorKind::DatabaseMissing));
        if cfg!(unix) {
            fs::write(&path, "").unwrap();
            assert_eq!(kind(&presence), Err(ErrorKind::DatabaseMissing));
        }
        fs::rename(&aside, &path).unwrap();
        assert!(presence.look(&path).unwrap());
    }
}
