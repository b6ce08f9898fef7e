//! Reads of records, fields and keys.

use std::collections::BTreeMap;

use moorage_meta::Key;
use moorage_model::Result;
use redis::Value;

use super::cells::{Cell, cells, decode};
use super::connection::Connection;
use super::found::Found;
use super::layout::Layout;
use super::listing::Listings;
use super::memory::Memory;
use super::names::{scanned, strings};

/// Fields or keys asked for at once, as JuiceFS does.
pub(super) const SCAN_COUNT: usize = 10_000;

/// Reads of one volume.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) layout: Layout,
    pub(super) listings: Listings,
    pub(super) memory: Memory,
}

impl Reader {
    pub(super) fn new(connection: Connection, layout: Layout) -> Reader {
        Reader {
            connection,
            layout,
            listings: Listings::default(),
            memory: Memory::new(),
        }
    }

    /// Values of the cells of each key, in one round trip.
    pub(super) async fn values(&self, keys: &[Key]) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
        self.values_in(&self.cells_of(keys)).await
    }

    /// As [`Reader::values`], remembered for transactions.
    pub(super) async fn noted_values(&self, keys: &[Key]) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
        let wanted = self.cells_of(keys);
        let values = self.values_in(&wanted).await?;
        for (cell, value) in wanted.into_iter().flatten().zip(values.iter().flatten()) {
            self.memory.note(cell, value.as_deref());
        }
        Ok(values)
    }

    fn cells_of(&self, keys: &[Key]) -> Vec<Vec<Cell>> {
        keys.iter().map(|key| cells(&self.layout, key)).collect()
    }

    async fn values_in(&self, wanted: &[Vec<Cell>]) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
        let commands = wanted.iter().flatten().map(Cell::read).collect();
        let mut answers = self.connection.ask_all(commands).await?.into_iter();
        values_of(wanted, &mut answers)
    }

    /// Each of these records that exists, in one round trip.
    pub(super) async fn read_each(&self, keys: &[Key]) -> Result<Found> {
        let values = self.values(keys).await?;
        let records = keys.iter().zip(values).filter_map(|(key, values)| {
            let record = decode(key, &values).transpose()?;
            Some((key.clone(), record))
        });
        Ok(Found {
            records: records.collect(),
            ..Found::default()
        })
    }

    /// All fields of a hash: one round trip, one more per 10 000 of them.
    pub(super) async fn fields(&self, key: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let first = self.connection.ask(hash_scan(key, b"0")).await?;
        self.fields_from(key, first).await
    }

    /// All fields of a hash whose first part is there already.
    pub(super) async fn fields_from(&self, key: &[u8], first: Value) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut fields = BTreeMap::new();
        let mut answer = first;
        loop {
            let (next, part) = scanned(answer)?;
            let mut part = part.into_iter();
            while let (Some(field), Some(value)) = (part.next(), part.next()) {
                fields.insert(field, value);
            }
            if next == b"0" {
                return Ok(fields);
            }
            answer = self.connection.ask(hash_scan(key, &next)).await?;
        }
    }

    /// Members of a sorted set with their scores.
    pub(super) async fn scores(&self, key: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(key).arg(0).arg(-1).arg("WITHSCORES");
        let mut items = strings(self.connection.ask(command).await?)?.into_iter();
        let mut found = Vec::new();
        while let (Some(member), Some(score)) = (items.next(), items.next()) {
            found.push((member, score));
        }
        Ok(found)
    }

    /// Members of a set.
    pub(super) async fn members(&self, key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(key);
        strings(self.connection.ask(command).await?)
    }

    /// Every key of a pattern, which begins with the hash tag of a cluster.
    pub(super) async fn keys_like(&self, pattern: &str) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("SCAN");
            command
                .arg(&cursor)
                .arg("MATCH")
                .arg(pattern)
                .arg("COUNT")
                .arg(SCAN_COUNT);
            let answer = self.connection.ask_node_of(&self.layout.prefix, command).await?;
            let (next, part) = scanned(answer)?;
            keys.extend(part);
            if next == b"0" {
                keys.sort_unstable();
                keys.dedup();
                return Ok(keys);
            }
            cursor = next;
        }
    }
}

/// A part of the fields of a hash.
pub(super) fn hash_scan(key: &[u8], cursor: &[u8]) -> redis::Cmd {
    let mut command = redis::cmd("HSCAN");
    command.arg(key).arg(cursor).arg("COUNT").arg(SCAN_COUNT);
    command
}

/// Values of the cells of each key from the answers to [`Cell::read`] of all of them.
pub(super) fn values_of(
    wanted: &[Vec<Cell>],
    answers: &mut impl Iterator<Item = Value>,
) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
    wanted
        .iter()
        .map(|cells| {
            cells
                .iter()
                .map(|cell| cell.value(answers.next().unwrap_or(Value::Nil)))
                .collect()
        })
        .collect()
}
