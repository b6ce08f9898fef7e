//! Reads on one connection.

use moorage_meta::{DirectoryEntry, Key, Record, Scan, Survey};
use moorage_model::{Attr, Entry, Error, ErrorKind, Ino, Name, Result};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Params, Row, params_from_iter};

use super::failure::{Context as _, is_missing_table};
use super::statements::{RowStatements, Statements};
use crate::relational::{
    Cell, Cells, Decoded, Part, Table, address, decode, decode_entry, decode_listed, decode_node,
    decode_value, first_behind, parts,
};

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Text(bytes) => ValueRef::Text(bytes),
            Cell::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Cells for Row<'_> {
    fn is_null(&self, column: usize) -> Result<bool> {
        Ok(value(self, column)? == ValueRef::Null)
    }

    fn signed(&self, column: usize) -> Result<i64> {
        match value(self, column)? {
            ValueRef::Integer(number) => Ok(number),
            ValueRef::Null => Ok(0),
            other => Err(unexpected(column, "a number", other)),
        }
    }

    /// Slice lists are TEXT once something was appended by the original (spec 40-sql section 2).
    fn bytes(&self, column: usize) -> Result<&[u8]> {
        match value(self, column)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
            ValueRef::Null => Ok(&[]),
            other => Err(unexpected(column, "bytes", other)),
        }
    }
}

fn value<'r>(row: &'r Row<'_>, column: usize) -> Result<ValueRef<'r>> {
    row.get_ref(column).context(|| format!("column {column}"))
}

fn unexpected(column: usize, wanted: &str, found: ValueRef<'_>) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("column {column} holds {}, not {wanted}", found.data_type()),
    )
}

/// The tables as one connection sees them. A table that the file does not have reads as empty: older releases
/// made fewer, and a read-only client adds none (spec 40-sql section 2).
#[derive(Clone, Copy)]
pub(super) struct View<'c> {
    pub(super) connection: &'c Connection,
    pub(super) sql: &'c Statements,
}

impl<'c> View<'c> {
    fn prepare(&self, sql: &str, what: impl Fn() -> String) -> Result<Option<CachedStatement<'c>>> {
        match self.connection.prepare_cached(sql) {
            Ok(statement) => Ok(Some(statement)),
            Err(error) if is_missing_table(&error) => Ok(None),
            Err(error) => Err(error).context(what),
        }
    }

    /// Runs a query and decodes its first row.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: impl Fn() -> String,
        decode: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(mut statement) = self.prepare(sql, &what)? else {
            return Ok(None);
        };
        let mut rows = statement.query(parameters).context(&what)?;
        rows.next().context(&what)?.map(decode).transpose()
    }

    /// Runs a query and decodes every row.
    pub(super) fn many<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: impl Fn() -> String,
        decode: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(mut statement) = self.prepare(sql, &what)? else {
            return Ok(Vec::new());
        };
        let mut rows = statement.query(parameters).context(&what)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().context(&what)? {
            out.push(decode(row)?);
        }
        Ok(out)
    }

    /// Statements on rows of a table.
    pub(super) fn rows(&self, table: Table) -> Result<&'c RowStatements> {
        let found = self.sql.of(table);
        found.ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("table {}", table.name())))
    }

    /// One record: one statement by a unique key.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>> {
        let (table, cells) = address(key);
        self.one(
            &self.rows(table)?.get,
            params_from_iter(&cells),
            || format!("reading {key}"),
            |row| decode_value(key, row, 0),
        )
    }

    /// Attributes of a node: one statement.
    pub(super) fn node(&self, ino: Ino) -> Result<Option<Attr>> {
        Ok(match self.get(&Key::Node(ino))? {
            Some(Record::Node(attr)) => Some(attr),
            _ => None,
        })
    }

    /// Entry and attributes: one join.
    pub(super) fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        self.one(
            &self.sql.lookup,
            (parent.0.cast_signed(), name.as_bytes()),
            || format!("looking up {name} in directory {parent}"),
            |row| Ok((entry(row, parent, name, 0)?, decode_node(row, 2)?)),
        )
    }

    /// A page of a directory: one query.
    pub(super) fn directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let sql = if attributes {
            &self.sql.list_attributes
        } else {
            &self.sql.list
        };
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        self.many(
            sql,
            (directory.0.cast_signed(), first_behind(after), limit),
            || format!("listing directory {directory}"),
            |row| decode_listed(directory, row, attributes),
        )
    }

    /// Whether a directory has an entry.
    pub(super) fn has_entries(&self, directory: Ino) -> Result<bool> {
        self.one(
            &self.sql.any_edge,
            [directory.0.cast_signed()],
            || format!("listing directory {directory}"),
            |_| Ok(()),
        )
        .map(|found| found.is_some())
    }

    /// Directories that hold `ino`, with the number of its entries there.
    pub(super) fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        self.many(
            &self.sql.parents,
            [ino.0.cast_signed()],
            || format!("looking for the parents of inode {ino}"),
            |row| {
                Ok((
                    Ino(row.unsigned(0)?),
                    u32::try_from(row.signed(1)?).unwrap_or(u32::MAX),
                ))
            },
        )
    }

    /// One page of `range` behind `after`, about `limit` records.
    pub(super) fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let mut limit = limit.max(1);
        loop {
            // One more than asked for tells whether another page follows.
            let mut rows = self.rows_behind(range, after, limit.saturating_add(1))?;
            let mut next = None;
            if rows.len() > limit {
                rows.truncate(limit);
                // A page ends with a key, since the next one continues there.
                let keyed = rows.iter().rposition(|row| key_of(row).is_some());
                let Some(last) = keyed else {
                    limit = limit.saturating_mul(2);
                    continue;
                };
                rows.truncate(last + 1);
                next = rows.last().and_then(key_of).cloned();
            }
            let mut page = Survey {
                next,
                ..Survey::default()
            };
            for row in rows {
                match row {
                    Ok(item) => page.items.push(item),
                    Err(damaged) => page.damaged.push(damaged),
                }
            }
            return Ok(page);
        }
    }

    /// Rows of a range behind `after`.
    fn rows_behind(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Vec<Decoded>> {
        let mut rows = Vec::new();
        let mut position = after;
        for part in parts(range) {
            let start = position.and_then(|key| part.position(key));
            if position.is_some() && start.is_none() {
                // The position is in a later part.
                continue;
            }
            position = None;
            rows.extend(self.page(range, &part, start, limit - rows.len())?);
            if rows.len() == limit {
                break;
            }
        }
        Ok(rows)
    }

    fn page(
        &self,
        range: &Scan,
        part: &Part,
        start: Option<Vec<Cell<'_>>>,
        limit: usize,
    ) -> Result<Vec<Decoded>> {
        let sql = self.sql.page(part, start.is_some());
        let limit = Cell::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        let fixed = part.fixed.iter().map(|(_, cell)| cell.clone());
        let cells: Vec<Cell<'_>> = fixed.chain(start.into_iter().flatten()).chain([limit]).collect();
        self.many(
            &sql,
            params_from_iter(&cells),
            || format!("scanning {range:?}"),
            |row| decode(part.table, row),
        )
    }
}

fn key_of(row: &Decoded) -> Option<&Key> {
    match row {
        Ok((key, _)) => Some(key),
        Err(damaged) => damaged.key.as_ref(),
    }
}

fn entry(row: &Row<'_>, directory: Ino, name: &Name, first: usize) -> Result<Entry> {
    decode_entry(row, first).map_err(|error| error.context(Key::Edge(directory, name.clone())))
}
