//! Small files that are replaced whole: settings, and what is to be known after a restart.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file, which only its owner may read. After this returns, the new text is there even after a power cut;
/// before, the old one is. Blocks the thread.
///
/// # Errors
///
/// When the disk refuses; then the old text is still there.
pub fn replace_file(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    part.write_all(text)?;
    part.as_file().sync_all()?;
    put_in_place(part, path, folder)
}

/// Gives it its name, durably.
#[cfg(unix)]
fn put_in_place(part: tempfile::NamedTempFile, path: &Path, folder: &Path) -> io::Result<()> {
    part.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Gives it its name, durably.
#[cfg(windows)]
fn put_in_place(part: tempfile::NamedTempFile, path: &Path, _folder: &Path) -> io::Result<()> {
    let (file, part) = part.keep()?;
    drop(file);
    crate::windows::rename_written_through(&part, path).inspect_err(|_| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&part);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.json");
        replace_file(&path, b"first").expect("made");
        replace_file(&path, b"second").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("read"), b"second");
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).expect("made");
        replace_file(&taken, b"x").expect_err("a folder is in the way");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2);
    }
}
