//! The pause on disk: the agent writes it, and whatever mounts later begins with it, whoever starts that and whether or
//! not an agent runs.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::settings::Pause;
use crate::state::Timestamp;

/// Name of the file in the state folder of the user.
const NAME: &str = "pause.json";
/// Longest file that is read.
const LONGEST: u64 = 4096;

/// Where the pause is kept, in the state folder of a user.
#[must_use]
pub fn path(state: &Path) -> PathBuf {
    state.join(NAME)
}

/// The pause as it was kept, if it still lasts. Without a file nothing is paused.
///
/// # Errors
///
/// When the file is there and can not be read; then nothing is known of a pause.
pub fn read(path: &Path, now: Timestamp) -> io::Result<Pause> {
    use io::Read as _;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pause::Running),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    let pause: Pause = serde_json::from_slice(&text)?;
    Ok(pause.at(now))
}

/// What the file of a pause holds.
///
/// # Errors
///
/// None that a pause can cause.
pub fn text(pause: Pause) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&pause)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_kept_for_as_long_as_it_lasts() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = path(folder.path());
        let at = |now| read(&file, Timestamp(now)).expect("read");
        assert_eq!(at(0), Pause::Running);
        let timed = Pause::Paused {
            until: Some(Timestamp(100)),
        };
        let write = |pause| std::fs::write(&file, text(pause).expect("text")).expect("written");
        write(timed);
        assert_eq!((at(99), at(100)), (timed, Pause::Running));
        let endless = Pause::Paused { until: None };
        write(endless);
        assert_eq!(at(u64::MAX), endless);
        write(Pause::Running);
        assert_eq!(at(0), Pause::Running);
    }

    #[test]
    fn a_file_that_can_not_be_understood_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = path(folder.path());
        std::fs::write(&file, "{\"pause\":\"newer\"}").expect("written");
        assert!(read(&file, Timestamp(0)).is_err());
    }
}
