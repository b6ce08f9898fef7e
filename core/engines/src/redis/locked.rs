//! What a transaction has decided on so far, and what it has collected.

use std::collections::HashMap;

use moorage_meta::{Key, Record, Scan, Txn as _};
use moorage_model::{Attr, Entry, Ino, Name, NodeType, Result};
use redis::{Cmd, Value};

use super::cells::{Cell, cells, decode};
use super::child::Child;
use super::found::Found;
use super::names::field_key;
use super::reader::{Reader, values_of};
use crate::collected::Collected;
use crate::write::Write;

/// Values of the cells of a key.
pub(super) type Values = Vec<Option<Vec<u8>>>;

/// What a transaction need not ask for.
pub(super) struct Recalled {
    pub(super) values: Vec<Values>,
    pub(super) children: Vec<Option<Child>>,
}

pub(super) struct RedisTxn<'e> {
    pub(super) reader: &'e Reader,
    /// What decisions rest on, as first seen.
    pub(super) seen: HashMap<Cell, Option<Vec<u8>>>,
    pub(super) collected: Collected,
    /// A record that was inserted although this transaction knows of one.
    pub(super) clash: Option<Key>,
    /// Numbers of entries that came with locked children.
    pub(super) lengths: HashMap<Ino, u64>,
    /// Round trips that read what is decided on: values of one are of one moment.
    pub(super) stages: u32,
    /// Whether values may be those that are remembered.
    may_remember: bool,
    /// Whether some are.
    pub(super) remembered: bool,
}

impl<'e> RedisTxn<'e> {
    pub(super) fn new(reader: &'e Reader) -> Self {
        RedisTxn {
            reader,
            seen: HashMap::new(),
            collected: Collected::default(),
            clash: None,
            lengths: HashMap::new(),
            stages: 0,
            may_remember: false,
            remembered: false,
        }
    }

    /// A transaction that reads only what is not remembered.
    pub(super) fn from_memory(reader: &'e Reader) -> Self {
        RedisTxn {
            may_remember: true,
            ..RedisTxn::new(reader)
        }
    }

    /// Values and children as they were lately, when all of them are known.
    ///
    /// # Errors
    /// `Corrupt` naming an entry.
    pub(super) fn recall(
        &mut self,
        wanted: &[Vec<Cell>],
        children: &[(Ino, &Name)],
    ) -> Result<Option<Recalled>> {
        if !self.may_remember || (wanted.is_empty() && children.is_empty()) {
            return Ok(None);
        }
        let of_key = |cells: &Vec<Cell>| cells.iter().map(|cell| self.known(cell)).collect();
        let Some(values) = wanted.iter().map(of_key).collect() else {
            return Ok(None);
        };
        let mut found = Vec::with_capacity(children.len());
        for (parent, name) in children {
            match self.known_child(*parent, name)? {
                Some(child) => found.push(child),
                None => return Ok(None),
            }
        }
        self.remembered = true;
        Ok(Some(Recalled {
            values,
            children: found,
        }))
    }

    /// What this transaction has seen of a cell, since that is what its commit compares; else what it held lately.
    fn known(&self, cell: &Cell) -> Option<Option<Vec<u8>>> {
        let seen = self.seen.get(cell).cloned();
        seen.or_else(|| self.reader.memory.value(cell))
    }

    /// A child when it is known whether there is one. A directory never is: what is known of it says nothing of the number
    /// of its entries.
    fn known_child(&self, parent: Ino, name: &Name) -> Result<Option<Option<Child>>> {
        let layout = &self.reader.layout;
        let edge = Cell::Field(layout.directory(parent), name.as_bytes().to_vec());
        let entry = match self.known(&edge) {
            None => return Ok(None),
            Some(None) => return Ok(Some(None)),
            Some(Some(bytes)) => {
                Entry::decode(&bytes).map_err(|error| error.context(Key::Edge(parent, Name::clone(name))))?
            }
        };
        let node = self.known(&Cell::Text(layout.node(entry.ino)));
        Ok(match node {
            Some(node) if entry.kind != NodeType::Directory => Some(Some(Child {
                entry,
                node,
                length: 0,
            })),
            _ => None,
        })
    }

    pub(super) fn remember(&mut self, cell: Cell, value: Option<Vec<u8>>) {
        self.seen.entry(cell).or_insert(value);
    }

    pub(super) async fn ask(&mut self, commands: Vec<Cmd>) -> Result<Vec<Value>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        self.stages += 1;
        self.reader.connection.ask_all(commands).await
    }

    pub(super) fn note_record(
        &mut self,
        key: &Key,
        cells: Vec<Cell>,
        values: Values,
    ) -> Result<Option<Record>> {
        let record = decode(key, &values)?;
        for (cell, value) in cells.into_iter().zip(values) {
            self.remember(cell, value);
        }
        Ok(self.collected.view(key, record))
    }

    pub(super) fn note_child(
        &mut self,
        parent: Ino,
        name: &Name,
        child: Option<Child>,
    ) -> Result<Option<(Entry, Option<Attr>)>> {
        let layout = &self.reader.layout;
        let cell = Cell::Field(layout.directory(parent), name.as_bytes().to_vec());
        let Some(Child { entry, node, length }) = child else {
            self.remember(cell, None);
            return Ok(None);
        };
        let node_cell = Cell::Text(layout.node(entry.ino));
        self.remember(cell, Some(entry.encode().to_vec()));
        self.lengths.insert(entry.ino, length);
        let record = self.note_record(&Key::Node(entry.ino), vec![node_cell], vec![node])?;
        Ok(Some((entry, node_of(record))))
    }

    /// An entry that this transaction wrote itself, with its node.
    pub(super) async fn written_child(&mut self, edge: Key) -> Result<Option<(Entry, Option<Attr>)>> {
        let Some(Record::Edge(entry)) = self.lock(&[edge]).await?.pop().flatten() else {
            return Ok(None);
        };
        let node = self.lock(&[Key::Node(entry.ino)]).await?.pop().flatten();
        Ok(Some((entry, node_of(node))))
    }

    /// The records of a range that is one hash, all of which is decided on.
    pub(super) fn note_hash(
        &mut self,
        range: &Scan,
        table: &[u8],
        fields: impl ExactSizeIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Found> {
        let mut committed = Found::default();
        // As many fields, each as it was, are the same hash.
        let count = fields.len().to_string().into_bytes();
        self.remember(Cell::Fields(table.to_vec()), Some(count));
        for (field, value) in fields {
            let value = Some(value);
            if let Some(key) = field_key(range, &field)
                && let Some(record) = decode(&key, std::slice::from_ref(&value)).transpose()
            {
                committed.records.push((key, record));
            }
            self.remember(Cell::Field(table.to_vec(), field), value);
        }
        Ok(committed)
    }

    /// The records of a range that is several keys.
    pub(super) async fn lock_keys_of(&mut self, range: &Scan) -> Result<Found> {
        let found = self.reader.whole(range).await?;
        let keys: Vec<Key> = found.records.into_iter().map(|(key, _)| key).collect();
        let mut locked = Found::default();
        let wanted: Vec<Vec<Cell>> = keys.iter().map(|key| cells(&self.reader.layout, key)).collect();
        let commands = wanted.iter().flatten().map(Cell::read).collect();
        let mut answers = self.ask(commands).await?.into_iter();
        let values = values_of(&wanted, &mut answers)?;
        for ((key, cells), values) in keys.into_iter().zip(wanted).zip(values) {
            if let Some(record) = decode(&key, &values).transpose() {
                locked.records.push((key, record));
            }
            for (cell, value) in cells.into_iter().zip(values) {
                self.remember(cell, value);
            }
        }
        Ok(locked)
    }

    pub(super) fn collect(&mut self, write: Write) {
        self.collected.push(write);
    }
}

/// The attributes that a record is.
pub(super) fn node_of(record: Option<Record>) -> Option<Attr> {
    match record {
        Some(Record::Node(attr)) => Some(attr),
        _ => None,
    }
}
