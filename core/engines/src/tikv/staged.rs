//! What a transaction changes, as values of keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use moorage_meta::{Key, Record};
use moorage_model::{Error, ErrorKind, Ino, Result};

use super::changelog::shard;
use super::layout::{Layout, Named};
use super::locks;
use super::values::{decode, encode, little};
use crate::collected::Change;
use crate::sums::{Sums, is_summed};
use crate::write::Write;

/// Values as they were when the transaction began.
pub(super) type Before = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// What a commit sends.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// Values afterwards; `None` is removed.
    pub(super) after: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Keys that nobody looked at and that must not exist.
    pub(super) fresh: BTreeSet<Vec<u8>>,
    /// Relative changes that follow a moment later.
    pub(super) sums: Sums,
    /// Records of sums that this commit stores or removes.
    pub(super) replaced: Vec<Key>,
}

/// The keys that a commit of a change has to have read: whose values it starts from, and the node that it locks. A lock
/// on what was not read at the same moment may come before a commit that ended earlier.
pub(super) fn bases(layout: &Layout, change: &Change, sums: bool) -> Vec<Vec<u8>> {
    let write = match change {
        Change::Record(write) => write,
        Change::Parent(ino, directory, _) => return vec![layout.parent(*ino, *directory)],
        Change::Attachments(_) | Change::Line(_) => return Vec::new(),
    };
    let key = write.key();
    let starts = match write {
        Write::NewSlice(..) => false,
        Write::AddCounter(..) | Write::AddDirStat(..) | Write::AddQuota(..) => sums || !is_summed(&key),
        Write::Append(..) | Write::AddOwners(..) => true,
        Write::Insert(..) | Write::Put(..) | Write::Delete(_) => {
            matches!(key, Key::FileLock(..) | Key::RecordLocks(..))
        }
    };
    let mut keys = if starts { layout.keys(&key) } else { Vec::new() };
    keys.extend(guarded(write).map(|ino| layout.node(ino)));
    keys
}

/// The node that a change locks. Whoever adds to what belongs to an inode conflicts with those who decide on all of it:
/// that a directory is empty, or which chunks there are.
fn guarded(write: &Write) -> Option<Ino> {
    match (write, write.key()) {
        (_, Key::Edge(ino, _) | Key::Xattr(ino, _)) => Some(ino),
        (Write::Insert(..) | Write::Append(..), Key::Chunk(ino, _)) => Some(ino),
        _ => None,
    }
}

/// Turns changes into values.
pub(super) struct Staging<'l> {
    pub(super) layout: &'l Layout,
    pub(super) before: &'l Before,
    /// Number of the moment that the transaction began at.
    pub(super) version: u64,
    /// Whether changes of usage are written now.
    pub(super) write_sums: bool,
    /// Keys that decisions rest on.
    pub(super) locked: BTreeSet<Vec<u8>>,
    pub(super) staged: Staged,
}

impl Staging<'_> {
    /// Adds a change of anything but attachments.
    ///
    /// # Errors
    /// `Conflict` for an insertion of what is there; `Corrupt` when the value to start from can not be read;
    /// `InvalidArgument` for a record that can not be stored.
    pub(super) fn add(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Record(write) => self.add_write(write),
            Change::Parent(ino, directory, delta) => {
                let key = self.layout.parent(*ino, *directory);
                let count = match self.current(&key) {
                    Some(Some(value)) => {
                        little(value).map_err(|error| error.context(self.layout.shown(&key)))?
                    }
                    _ => 0,
                };
                let count = count.saturating_add(*delta);
                let value = (count > 0).then(|| count.to_le_bytes().to_vec());
                self.staged.after.insert(key, value);
                Ok(())
            }
            // Its keys come from a scan, see `remove_attachments`.
            Change::Attachments(_) => Ok(()),
            Change::Line(line) => {
                let key = self.layout.changelog(shard(self.version), self.version);
                let lines = match self.staged.after.remove(&key).flatten() {
                    Some(mut before) => {
                        before.push(b'\n');
                        before.extend_from_slice(line.as_bytes());
                        before
                    }
                    None => line.clone().into_bytes(),
                };
                self.staged.after.insert(key, Some(lines));
                Ok(())
            }
        }
    }

    /// Removes what belongs to a node: the keys that were found, and what this transaction wrote.
    pub(super) fn remove_attachments(&mut self, ino: Ino, found: Vec<Vec<u8>>) {
        let own = self.staged.after.keys().filter(|key| {
            matches!(
                self.layout.named(key),
                Some(Named::Parent(of, _) | Named::Record(Key::Xattr(of, _))) if of == ino
            )
        });
        let keys: Vec<Vec<u8>> = own.cloned().chain(found).collect();
        self.staged.after.extend(keys.into_iter().map(|key| (key, None)));
    }

    /// What the commit sends. Keys that decisions rest on are written again as they were, as other clients do with the
    /// attributes of a directory: whoever wrote or writes them since the transaction began is in conflict with it. Locks
    /// without a value would do the same in TiKV, but every later read of the key would have to step over them.
    ///
    /// # Errors
    /// `Io` for a decision on a key that was not read.
    pub(super) fn finish(mut self) -> Result<Staged> {
        if self.staged.after.is_empty() {
            return Ok(self.staged);
        }
        for key in self.locked {
            if !self.staged.after.contains_key(&key) {
                let Some(value) = self.before.get(&key) else {
                    let shown = self.layout.shown(&key);
                    return Err(Error::new(
                        ErrorKind::Io,
                        format!("{shown} was decided on and not read"),
                    ));
                };
                self.staged.after.insert(key, value.clone());
            }
        }
        Ok(self.staged)
    }

    /// The value of a key as far as it is known: written by this transaction, or read when it began.
    fn current(&self, key: &Vec<u8>) -> Option<Option<&Vec<u8>>> {
        let own = self.staged.after.get(key).or_else(|| self.before.get(key));
        own.map(Option::as_ref)
    }

    fn add_write(&mut self, write: &Write) -> Result<()> {
        let key = write.key();
        if !write.fits() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{key} can not hold that: {write:?}"),
            ));
        }
        let relative = !matches!(write, Write::Insert(..) | Write::Put(..) | Write::Delete(_));
        if is_summed(&key) && !self.write_sums {
            if relative {
                self.staged.sums.add(write);
                return Ok(());
            }
            self.staged.sums.forget(&key);
            self.staged.replaced.push(key.clone());
        }
        // The format counts owners from the second one on.
        let nothing = match write {
            Write::NewSlice(..) => true,
            Write::Append(_, _, slices) => slices.is_empty(),
            Write::AddOwners(_, _, delta) | Write::AddCounter(_, delta) => *delta == 0,
            _ => false,
        };
        if nothing {
            return Ok(());
        }
        self.locked
            .extend(guarded(write).map(|ino| self.layout.node(ino)));
        let stored = self.layout.keys(&key);
        let Some(first) = stored.first() else {
            return self.add_line(&key, write);
        };
        if matches!(key, Key::FileLock(..) | Key::RecordLocks(..)) {
            return self.add_lock(first, &key, write);
        }
        if matches!(write, Write::Insert(..)) {
            match self.current(first) {
                Some(Some(_)) => return Err(exists(&key)),
                Some(None) => {}
                None => {
                    self.staged.fresh.insert(first.clone());
                }
            }
        }
        let current = if relative {
            let values: Vec<Option<&[u8]>> = stored
                .iter()
                .map(|key| self.current(key).flatten().map(Vec::as_slice))
                .collect();
            decode(&key, &values)?
        } else {
            None
        };
        let values = match write.apply(current) {
            Some(record) => encode(&key, &record)?,
            None => Vec::new(),
        };
        let mut values = values.into_iter();
        for place in stored {
            let value = values.next().filter(|value| !value.is_empty());
            self.staged.after.insert(place, value);
        }
        Ok(())
    }

    fn add_lock(&mut self, place: &Vec<u8>, key: &Key, write: &Write) -> Result<()> {
        let value = self.current(place).flatten().cloned().unwrap_or_default();
        let there = decode(key, &[Some(&value)])?.is_some();
        if matches!(write, Write::Insert(..)) && there {
            return Err(exists(key));
        }
        let record = match write {
            Write::Insert(_, record) | Write::Put(_, record) => Some(record),
            _ => None,
        };
        if let Some(value) = locks::replace(&value, key, record)? {
            self.staged
                .after
                .insert(place.clone(), (!value.is_empty()).then_some(value));
        }
        Ok(())
    }

    /// A line of the changelog that is removed, or stored anew from a dump.
    fn add_line(&mut self, key: &Key, write: &Write) -> Result<()> {
        let Key::ChangelogLine(version) = key else {
            return Ok(());
        };
        let place = self.layout.changelog(shard(*version), *version);
        let value = match write {
            Write::Insert(_, record @ Record::ChangelogLine(_)) | Write::Put(_, record) => {
                encode(key, record)?.into_iter().next()
            }
            _ => None,
        };
        self.staged.after.insert(place, value);
        Ok(())
    }
}

fn exists(key: &Key) -> Error {
    Error::new(ErrorKind::Conflict, format!("{key} exists"))
}
