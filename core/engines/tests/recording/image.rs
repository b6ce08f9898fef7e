//! What a disk holds after a power cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Change, Event};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A sequence of numbers that a seed decides (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// What of the changes since the last sync of its file is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// None.
    Lost,
    /// All: the process was killed and the machine lives.
    Kept,
    /// Any of them, whole or torn, in any order.
    Torn,
}

#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
    exists: bool,
}

impl File {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write {
                offset,
                bytes: written,
            } => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Change::Truncate { length } => bytes.resize(*length, 0),
            Change::Sync | Change::Delete => {}
        }
    }

    fn after_cut(&self, unsynced: Unsynced, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            let kept = match unsynced {
                Unsynced::Lost => 0,
                Unsynced::Kept => 1,
                Unsynced::Torn => dice.roll(3),
            };
            match (kept, change) {
                (0, _) => {}
                (
                    2,
                    Change::Write {
                        offset,
                        bytes: written,
                    },
                ) => {
                    // The layer below the database writes a whole commit at once, so any of its sectors may be
                    // missing.
                    for (index, sector) in written.chunks(SECTOR).enumerate() {
                        if dice.roll(2) == 0 {
                            let part = Change::Write {
                                offset: offset + index * SECTOR,
                                bytes: sector.to_vec(),
                            };
                            File::apply(&mut bytes, &part);
                        }
                    }
                }
                _ => File::apply(&mut bytes, change),
            }
        }
        bytes
    }
}

/// Files as a sequence of changes makes them.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    files: BTreeMap<PathBuf, File>,
}

impl Disk {
    /// The next change.
    pub(crate) fn happen(&mut self, event: &Event) {
        let file = self.files.entry(event.path.clone()).or_default();
        match &event.change {
            Change::Sync => {
                for change in std::mem::take(&mut file.pending) {
                    File::apply(&mut file.durable, &change);
                }
            }
            Change::Delete => *file = File::default(),
            other => {
                file.exists = true;
                file.pending.push(other.clone());
            }
        }
    }

    /// Writes what a power cut now leaves of the database in `folder` into another folder.
    pub(crate) fn cut_into(&self, folder: &Path, target: &Path, unsynced: Unsynced, dice: &mut Dice) {
        for (path, file) in &self.files {
            let name = path.strip_prefix(folder).ok().filter(|_| file.exists);
            // The shared memory of a log means nothing to the next process.
            if let Some(name) = name.filter(|name| !name.to_string_lossy().ends_with("-shm")) {
                std::fs::write(target.join(name), file.after_cut(unsynced, dice)).unwrap();
            }
        }
    }
}
