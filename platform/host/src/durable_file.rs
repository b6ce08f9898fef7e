//! Small files that are replaced whole: settings, and what is to be known after a restart.

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
    part.persist(path)?;
    File::open(folder)?.sync_all()
}
