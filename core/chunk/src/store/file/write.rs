//! Writing the file of an object.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::path::temporary;
use super::place::Place;

/// A file that is written under the name of its object or renamed to it, and the folders whose entries are new.
pub(super) type Written = (File, Vec<PathBuf>);

/// Makes a file that does not exist yet; a call, and a mkdir per new folder.
fn create_new(place: &Place, path: &Path) -> io::Result<Written> {
    let create = || OpenOptions::new().write(true).create_new(true).open(path);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let root = place.root.as_path();
            let parent = path.parent().unwrap_or(root);
            // Which of them exist already is not worth a call each: syncing a folder too many is harmless.
            let mut new_folders: Vec<PathBuf> = parent
                .ancestors()
                .take_while(|f| f.starts_with(root))
                .map(Path::to_owned)
                .collect();
            new_folders.extend(root.parent().map(Path::to_owned));
            place.make_folder(parent)?;
            Ok((create()?, new_folders))
        }
        other => Ok((other?, Vec::new())),
    }
}

/// Writes an object that nothing refers to yet under its own name: open and write, three calls with the close.
/// One of that name is replaced whole.
pub(super) fn write_unreferenced(
    place: &Place,
    path: &Path,
    body: &[u8],
    number: u64,
) -> io::Result<Written> {
    let (mut file, new_folders) = match create_new(place, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return write_whole(place, path, body, number);
        }
        other => other?,
    };
    if let Err(error) = file.write_all(body) {
        // Gives the space back. The name stays: another try may have put the whole object there meanwhile.
        let _ = file.set_len(0);
        return Err(error);
    }
    Ok((file, new_folders))
}

/// Writes an object so that nobody ever sees a part of it: open, write, rename; four calls with the close.
pub(super) fn write_whole(place: &Place, path: &Path, body: &[u8], number: u64) -> io::Result<Written> {
    let sibling = temporary(path, number);
    let (mut file, new_folders) = create_new(place, &sibling)?;
    let written = file.write_all(body).and_then(|()| fs::rename(&sibling, path));
    if let Err(error) = written {
        // The first error is the one to report.
        let _ = fs::remove_file(&sibling);
        return Err(error);
    }
    Ok((file, new_folders))
}
