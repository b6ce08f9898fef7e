//! What is told of records that can not be read.

use moorage_model::{Error, ErrorKind, Ino, Result};

use crate::{DamagedRecord, Key, Meta};

/// What helps where no repair can make records again. `moorage load` fills a database that holds no volume.
pub const FROM_BACKUP: &str = "Restore the database from a copy, or load a metadata backup into a new database with \
     `moorage load`; mounts keep such backups in the folder `meta/` of the store.";

/// Damaged records kept of one pass; the rest is only counted.
const MAX_KEPT: usize = 10_000;

/// A record that can not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRecord {
    /// Its key; `None` when that can not be read either.
    pub key: Option<Key>,
    /// What is wrong with it, with its name as far as that is known.
    pub reason: String,
}

/// The records that a pass could not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The first of them, at most 10 000.
    pub records: Vec<UnreadableRecord>,
    /// All of them.
    pub count: u64,
}

impl Damage {
    /// Whether everything could be read.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn note(&mut self, found: &DamagedRecord) {
        self.count += 1;
        if self.records.len() < MAX_KEPT {
            self.records.push(UnreadableRecord {
                key: found.key.clone(),
                reason: found.error.reason(),
            });
        }
    }

    pub(crate) fn note_all(&mut self, found: &[DamagedRecord]) {
        found.iter().for_each(|one| self.note(one));
    }
}

/// An answer, or `None` where a record was damaged; any other failure stays one.
pub(crate) fn readable<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(None),
        Err(error) => Err(error),
    }
}

/// The failure of a job whose rest was done past damaged records.
pub(crate) fn left_out(what: &str, count: u64) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("{what}: {count} records can not be read"),
    )
    .with_advice("`moorage fsck` names them.")
}

impl Meta {
    /// A node in words: one of its paths and its inode, the inode alone when no path can be found.
    ///
    /// # Errors
    /// What the engine answers, except for damaged and missing records.
    pub async fn describe_node(&self, ino: Ino) -> Result<String> {
        let paths = match self.paths(ino).await {
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NotFound) => Vec::new(),
            found => found?,
        };
        Ok(match paths.first() {
            Some(path) => format!("{:?} (inode {ino})", String::from_utf8_lossy(path)),
            None => format!("inode {ino}"),
        })
    }
}
