//! Records on their way from the thread that decodes a dump to the task that stores them.

use moorage_model::{Error, ErrorKind, Ino, Result, SliceId};
use tokio::sync::mpsc;

use crate::{Key, Record, Txn};

/// Records stored in one transaction: a round trip is shared by many, and no engine's script or statement gets long.
const BATCH_RECORDS: usize = 1000;
/// Bytes of values in one transaction, about.
const BATCH_BYTES: usize = 1 << 20;
/// Transactions' worth of records decoded ahead.
pub(super) const BATCHES_AHEAD: usize = 2;

/// One thing to store.
#[derive(Clone, Debug)]
pub(in crate::dump) enum Loaded {
    /// A record as it is.
    Record(Key, Record),
    /// Another name of a node that was stored with one before.
    Link { ino: Ino, directory: Ino },
    /// Names that a directory holds for a node with several.
    Parent { ino: Ino, directory: Ino, names: i64 },
    /// The first owner of a slice.
    Slice(SliceId, u32),
    /// More owners of a slice, or fewer.
    Owners(SliceId, u32, i64),
}

impl Loaded {
    /// Bytes of its value, as far as they vary.
    fn bytes(&self) -> usize {
        match self {
            Loaded::Record(_, Record::Xattr(value) | Record::Symlink(value)) => value.len(),
            Loaded::Record(_, Record::Chunk(slices)) => slices.len() * moorage_model::Slice::BYTES,
            _ => 0,
        }
    }

    /// Stores it.
    ///
    /// # Errors
    /// `Corrupt` when a second name has no first; what the engine answers.
    pub(super) async fn store(&self, txn: &mut dyn Txn) -> Result<()> {
        match self {
            Loaded::Record(key, record) => txn.put(key.clone(), record.clone()),
            Loaded::Link { ino, directory } => {
                let Some(mut attr) = txn.lock_node(*ino).await? else {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!("inode {ino} of the dump is a directory with several names"),
                    ));
                };
                if attr.parent != Ino::NONE {
                    txn.add_parent(*ino, attr.parent, 1);
                    attr.parent = Ino::NONE;
                }
                attr.nlink = attr.nlink.saturating_add(1);
                txn.put(Key::Node(*ino), Record::Node(attr));
                txn.add_parent(*ino, *directory, 1);
            }
            Loaded::Parent {
                ino,
                directory,
                names,
            } => txn.add_parent(*ino, *directory, *names),
            Loaded::Slice(id, size) => txn.new_slice(*id, *size),
            Loaded::Owners(id, size, delta) => txn.add_owners(*id, *size, *delta),
        }
        Ok(())
    }
}

/// Collects records on the decoding thread.
#[derive(Debug)]
pub(in crate::dump) struct Batches {
    sender: mpsc::Sender<Vec<Loaded>>,
    collected: Vec<Loaded>,
    bytes: usize,
}

impl Batches {
    pub(super) fn new(sender: mpsc::Sender<Vec<Loaded>>) -> Batches {
        Batches {
            sender,
            collected: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds one; waits while storing is slower.
    ///
    /// # Errors
    /// `Io` when storing ended, which has its own error.
    pub(super) fn push(&mut self, loaded: Loaded) -> Result<()> {
        self.bytes += loaded.bytes();
        self.collected.push(loaded);
        if self.collected.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// A record as it is.
    ///
    /// # Errors
    /// See [`Batches::push`].
    pub(super) fn put(&mut self, key: Key, record: Record) -> Result<()> {
        self.push(Loaded::Record(key, record))
    }

    /// Hands over what is collected.
    ///
    /// # Errors
    /// See [`Batches::push`].
    pub(super) fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.collected);
        if batch.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(batch)
            .map_err(|_| Error::new(ErrorKind::Io, "storing the records of the dump ended"))
    }
}
