//! The mark that the agent was ended by a person: whoever keeps an agent running leaves it ended then, until a person wants
//! it again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in the runtime folder of the user.
const NAME: &str = "agent.stopped";

/// Where the mark is, in the runtime folder of a user.
#[must_use]
pub fn path(runtime: &Path) -> PathBuf {
    runtime.join(NAME)
}

/// Leaves the mark. An agent does that before it stops to listen, so that nobody finds neither of them.
///
/// # Errors
///
/// When the disk refuses; then the agent may be started again by itself.
pub fn set(path: &Path) -> io::Result<()> {
    fs::write(path, [])
}

/// Takes the mark away, if it is there. An agent does that when it begins, and whoever starts one for a person before.
///
/// # Errors
///
/// When the disk refuses.
pub fn clear(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the mark is there.
#[must_use]
pub fn is_set(path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_there_from_when_it_is_left_until_it_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = path(folder.path());
        clear(&mark).expect("there was none");
        assert!(!is_set(&mark));
        set(&mark).expect("left");
        set(&mark).expect("left again");
        assert!(is_set(&mark));
        clear(&mark).expect("taken away");
        assert!(!is_set(&mark));
    }
}
