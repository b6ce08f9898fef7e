//! What staging asks of a disk, in the steps that a power cut may fall between.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::platform;

/// The durable steps of a disk. Tests put a disk in its place that forgets what was not synced.
pub(super) trait StageDisk: Send + Sync + Debug {
    /// Makes a file of these parts; on return its bytes survive a power cut, its name need not.
    fn write_synced(&self, path: &Path, parts: [&[u8]; 2]) -> io::Result<()>;

    /// Gives a file its final name, which survives a power cut once the folder is synced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// On return the names in the folder survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Debug)]
pub(super) struct SystemDisk;

impl StageDisk for SystemDisk {
    /// Open, two writes, one fdatasync.
    fn write_synced(&self, path: &Path, parts: [&[u8]; 2]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file: File = options.open(path)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        platform::rename_durably(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        platform::sync_folder(folder)
    }
}
