//! Which nodes are pinned on this computer: one file beside the cache of the volume, for every mount that uses the cache.
//! Nothing of it is in the volume.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use moorage_chunk::write_durably;
use moorage_model::{Error, ErrorKind, Ino, Result};
use serde::{Deserialize, Serialize};

/// Version of the file that this build writes, and the newest that it reads.
const VERSION: u32 = 1;
/// Pins at most: each is walked through every minute, and whoever needs more pins the folder above.
const MAX_PINS: usize = 1000;

/// A file or folder that somebody pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    /// The stored inode: a rename keeps it.
    #[serde(rename = "inode", with = "number")]
    pub(crate) ino: Ino,
    /// Seconds since 1970.
    pub(crate) pinned_at: i64,
}

/// An inode as its number.
mod number {
    use moorage_model::Ino;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(ino: &Ino, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(ino.0)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Ino, D::Error> {
        u64::deserialize(deserializer).map(Ino)
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    pins: Vec<Pin>,
}

/// The part of every version's file that never changes.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The file. Its methods block the thread.
#[derive(Clone, Debug)]
pub(crate) struct PinBook {
    path: PathBuf,
}

impl PinBook {
    pub(crate) fn new(path: &Path) -> PinBook {
        PinBook {
            path: path.to_owned(),
        }
    }

    /// What is pinned, in the order in which it was; nothing where there is no file.
    ///
    /// # Errors
    /// `Corrupt` for a damaged file, `VersionMismatch` for one of a newer version; the disk's.
    pub(crate) fn read(&self) -> Result<Vec<Pin>> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(|error| self.failed("can not be read", error))?,
        };
        let damaged = |error: serde_json::Error| {
            Error::new(
                ErrorKind::Corrupt,
                format!("{}, the list of pins, is damaged", self.path.display()),
            )
            .with_source(error)
            .with_advice("Delete it and pin again what is to stay on this computer.")
        };
        let Versioned { version } = serde_json::from_slice(&text).map_err(damaged)?;
        if version > VERSION {
            return Err(Error::new(
                ErrorKind::VersionMismatch,
                format!("{} was written by a newer version", self.path.display()),
            )
            .with_advice("Mount the volume with that version."));
        }
        let document: Document = serde_json::from_slice(&text).map_err(damaged)?;
        Ok(document.pins)
    }

    /// Changes the list while no other mount does; durable on return.
    ///
    /// # Errors
    /// As [`PinBook::read`]; `NoSpace` for more than a thousand.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Vec<Pin>)) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| self.failed("can not be written", error))?;
        }
        let lock = File::create(self.path.with_extension("lock"));
        let lock = lock.map_err(|error| self.failed("can not be locked", error))?;
        lock.lock()
            .map_err(|error| self.failed("can not be locked", error))?;
        let mut pins = self.read()?;
        let before = pins.clone();
        change(&mut pins);
        if pins == before {
            return Ok(());
        }
        if pins.len() > MAX_PINS {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!("more than {MAX_PINS} files and folders would be pinned one by one"),
            )
            .with_advice("Pin the folder that they lie in."));
        }
        let document = Document {
            version: VERSION,
            pins,
        };
        let text = serde_json::to_vec_pretty(&document)
            .map_err(|error| Error::new(ErrorKind::Io, "the list of pins").with_source(error))?;
        write_durably(&self.path, &text).map_err(|error| self.failed("can not be written", error))
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
            io::ErrorKind::StorageFull => ErrorKind::NoSpace,
            io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            _ => ErrorKind::Io,
        };
        Error::new(kind, format!("{}, the list of pins, {what}", self.path.display())).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(number: u64) -> Pin {
        Pin {
            ino: Ino(number),
            pinned_at: 1_700_000_000,
        }
    }

    #[test]
    fn what_was_pinned_is_read_back_and_two_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume/pins.json");
        let book = PinBook::new(&path);
        assert_eq!(book.read().unwrap(), []);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let book = book.clone();
                scope.spawn(move || {
                    for n in 0..10 {
                        book.change(|pins| pins.push(pin(writer * 10 + n))).unwrap();
                    }
                });
            }
        });
        let mut found: Vec<u64> = book.read().unwrap().into_iter().map(|pin| pin.ino.0).collect();
        found.sort_unstable();
        assert_eq!(found, (0..40).collect::<Vec<_>>());
        assert!(book.change(|pins| pins.extend((0..2000).map(pin))).is_err());
        assert_eq!(book.read().unwrap().len(), 40);
    }

    #[test]
    fn the_file_of_version_1_is_read_and_others_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.json");
        let book = PinBook::new(&path);
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            book.read().map_err(|error| error.kind())
        };
        let first = r#"{"version":1,"pins":[{"inode":7,"pinned_at":1700000000}]}"#;
        assert_eq!(read(first), Ok(vec![pin(7)]));
        assert_eq!(
            read(r#"{"version":2,"nodes":[]}"#),
            Err(ErrorKind::VersionMismatch)
        );
        for damaged in ["", "{", "{}", r#"{"version":1}"#] {
            assert_eq!(read(damaged), Err(ErrorKind::Corrupt), "{damaged}");
        }
        // What can not be read is not written over.
        assert!(book.change(Vec::clear).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"version":1}"#);
    }
}
