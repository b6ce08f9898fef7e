//! Small files that are whole after a power cut.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use crate::disk_cache::make_private_folder;
use crate::platform::{rename_durably, sync_folder};

/// Puts a file in its place, or in that of an earlier one: on return it is durable, and a crash leaves one of the two whole.
/// Its folder is made, for this user alone. One writer at a time. Blocks the thread: two syncs.
///
/// # Errors
/// Of the disk; then the earlier file is there.
pub fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private_folder(folder)?;
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    rename_durably(&temporary, path)?;
    sync_folder(folder)
}
